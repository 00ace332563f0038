import { z } from 'zod'
import { proxy } from './address.ts'
import { clients } from './client.ts'
import { secret, secretOrFile, type Surroundings } from './credential.ts'
import { duration } from './duration.ts'
import { choice, flag, map, texts } from './leaf.ts'
import { limits } from './limits.ts'
import { authorization, keys, registration } from './issuance.ts'
import { mail } from './mail.ts'
import { pages } from './pages.ts'
import { bridges, forwardAuth, resources } from './parties.ts'
import { providers } from './providers.ts'
import { directories, roles } from './roles.ts'
import {
  audit,
  bus,
  cache,
  grpc,
  http,
  lifetimes,
  listen,
  log,
  passwords,
  services,
  session,
  store,
  throttle,
} from './sections.ts'
import { asProperties } from './spelling.ts'
import type { SchemaNode } from './schema-tree.ts'
import { issuerUrl } from './url.ts'

/** Everything that may stand in the file: the one definition of the configuration, its JSON Schema and its reference. */
export const schemaIn = (surroundings: Surroundings) => {
  const masterKey = { least: limits.masterKeyCharacters }
  return map({
    version: z.literal(1, { error: '1' }).meta({ title: '1' }).describe('Version of this format.'),
    issuer: issuerUrl()
      .prefault('http://localhost:8080')
      .describe('Who signs: the URL under which everybody reaches this server, as it stands in tokens and metadata.'),
    master_key: secretOrFile(surroundings, masterKey)
      .prefault({ file: './data/master.key' })
      .describe(
        'Encrypts private keys and other secrets at rest. A file that does not exist is made by the single process.',
      ),
    previous_master_key: secret(surroundings, masterKey)
      .optional()
      .describe('The master key before, while it is being replaced.'),
    store: store(surroundings),
    bus: bus(surroundings),
    audit: audit(surroundings),
    listen: listen(),
    services: services(surroundings),
    trusted_proxies: texts(proxy()).prefault([]).describe('Proxies whose forwarding headers are believed.'),
    session: session(),
    lifetimes: lifetimes(),
    keys: keys(),
    authorization: authorization(),
    max_staleness: duration(limits.durationsMs.maxStaleness)
      .prefault('1s')
      .describe(
        'How long after an acknowledged revocation a cache may still say active; `0s` asks the store every time.',
      ),
    cache: cache(),
    providers: providers(surroundings),
    roles: roles(),
    directories: directories(surroundings),
    passwords: passwords(surroundings),
    mail: mail(surroundings),
    pages: pages(surroundings),
    resources: resources(),
    clients: clients(surroundings),
    registration: registration(surroundings),
    bridges: bridges(),
    forward_auth: forwardAuth(),
    authentication: choice(['on', 'off'])
      .prefault('on')
      .describe('`off`, in the file alone, makes forward-auth let everything through as anonymous; nothing else does.'),
    allow_plaintext: flag()
      .prefault(false)
      .describe('Allow connections without TLS outside loopback. Only for networks that nobody else is on.'),
    log: log(),
    grpc: grpc(surroundings),
    http: http(surroundings),
    throttle: throttle(),
  }).transform(({ max_staleness, ...rest }) => ({ ...asProperties(rest), maxStalenessMs: max_staleness }))
}

/** A schema of ours as JSON Schema. */
export const asJsonSchema = (schema: z.ZodType): SchemaNode => z.toJSONSchema(schema, { io: 'input' }) as SchemaNode

/** The JSON Schema (draft 2020-12) of the config file. */
export const configSchema = (): SchemaNode => ({
  title: 'countersign.yaml',
  ...asJsonSchema(schemaIn({ folder: '/', env: {} })),
})
