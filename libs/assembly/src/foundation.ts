import type { KeyObject } from 'node:crypto'
import { isIP } from 'node:net'
import { createMetrics, createThrottle, type Metrics, type Throttle } from '@countersign/chassis'
import { reloadable, type Config } from '@countersign/chassis/config'
import type { Logger } from '@countersign/chassis/log'
import type { Millis } from '@countersign/contracts'
import { systemClock, type Clock } from '@countersign/leased-cache'
import {
  buildClients,
  createClientAuthentication,
  createRandomness,
  createTokenFormat,
  sealKeyFrom,
  Secrets,
  tagKeyFrom,
  type ClientAuthentication,
  type ClientDefinition,
  type Clients,
  type ResourceDefinition,
  type TokenFormat,
} from '@countersign/tokens'
import { demoClients, demoResources } from './demo.ts'
import { readMasterKey } from './master-key.ts'

/** What every service stands on, made once per process. */
export interface Foundation {
  /** As it was at the start; what can change while running is behind functions. */
  config: Config
  log: Logger
  metrics: Metrics
  format: TokenFormat
  /** The current one first. */
  sealKeys: readonly KeyObject[]
  masterKey: Buffer
  previousMasterKey: Buffer | undefined
  secrets: Secrets
  clients: () => Clients
  /** Scopes that resources define, with their descriptions. */
  scopes: () => ReadonlyMap<string, string>
  /** What clients that register themselves may be; the same object until the configuration changes. */
  registered: () => Parties['registered']
  /** A resource's audience, by that itself or by the resource's id. */
  audienceOf: (name: string) => string | undefined
  /** Of configured clients, by secret or certificate; what needs the store is added where that is. */
  authentication: ClientAuthentication
  scanning: Throttle
  clock: Clock
  now: () => Millis
  commitId: () => string
  randomBytes: (bytes: number) => Buffer
  /** Takes on what can change while running; gives the keys that changed and need a restart. */
  reload(config: Config): readonly string[]
}

interface Parties {
  clients: Clients
  scopes: ReadonlyMap<string, string>
  audiences: ReadonlyMap<string, string>
  registered: {
    registration: Config['registration']
    resources: readonly ResourceDefinition[]
    lifetimes: Config['lifetimes']
  }
}

function partiesOf(config: Config, masterKey: Buffer, secrets: Secrets): Parties {
  const resources: readonly (ResourceDefinition & { scopes: Readonly<Record<string, string>> })[] = config.demo
    ? demoResources
    : config.resources
  const definitions: readonly ClientDefinition[] = config.demo ? demoClients(masterKey) : config.clients
  return {
    clients: buildClients(definitions, resources, secrets, config.lifetimes),
    scopes: new Map(resources.flatMap(({ scopes }) => Object.entries(scopes))),
    registered: { registration: config.registration, resources, lifetimes: config.lifetimes },
    audiences: new Map(
      resources.flatMap(({ id, audience }) => [
        [id, audience],
        [audience, audience],
      ]),
    ),
  }
}

const minuteMs = 60_000
const throttleOf = (points: number): Throttle => createThrottle({ points, durationMs: minuteMs })

export function layFoundation(config: Config, log: Logger, name: string, makesMasterKey: boolean): Foundation {
  const masterKey = readMasterKey(config.masterKey, makesMasterKey)
  const previous = config.previousMasterKey && Buffer.from(config.previousMasterKey.reveal())
  const secrets = new Secrets()
  const randomBytes = createRandomness()
  const clock = systemClock()
  let current = config
  let parties = partiesOf(config, masterKey, secrets)
  const clients = () => parties.clients
  const throttled = throttleOf(config.throttle.failedAuthenticationsPerMinute)
  return {
    config,
    log,
    metrics: createMetrics({ name }),
    format: createTokenFormat(tagKeyFrom(masterKey), previous && tagKeyFrom(previous)),
    sealKeys: [masterKey, ...(previous ? [previous] : [])].map((key) => sealKeyFrom(key)),
    masterKey,
    previousMasterKey: previous,
    secrets,
    clients,
    scopes: () => parties.scopes,
    registered: () => parties.registered,
    audienceOf: (name) => parties.audiences.get(name),
    authentication: createClientAuthentication(clients, secrets, throttled),
    scanning: throttleOf(config.throttle.inactiveIntrospectionsPerMinute),
    clock,
    now: clock.now,
    commitId: () => randomBytes(16).toString('hex'),
    randomBytes,
    reload(changed) {
      const { restart } = reloadable(current, changed)
      parties = partiesOf(changed, masterKey, secrets)
      log.level = changed.log.level
      current = changed
      return restart
    },
  }
}

/** How a listener's host is written in a URL. */
export const urlHost = (host: string): string => (isIP(host) === 6 ? `[${host}]` : host)
