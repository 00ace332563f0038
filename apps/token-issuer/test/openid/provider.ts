import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { Passwords } from '@countersign/accounts'
import { ActorKind } from '@countersign/contracts/events'
import { TestAuthority } from '@countersign/rpc/testing/certificates'
import { freePort, repositoryRoot, ServerProcess, temporaryFolder, type Ask, type Reply } from '@countersign/servers'
import { AccountDirectory } from '@countersign/service-login'
import { newCommitId } from '@countersign/store'
import { openStore } from '@countersign/store/open'

/** A client as its relying party knows it. */
export interface Client {
  id: string
  secret: string
  method: 'client_secret_basic' | 'client_secret_post'
}

export interface Metadata extends Record<string, unknown> {
  issuer: string
  authorization_endpoint: string
  token_endpoint: string
  userinfo_endpoint: string
  jwks_uri: string
}
export type PublicKey = Record<string, unknown> & { kty: string; kid: string }

export const account = {
  loginName: 'ada',
  password: 'a notebook of engines',
  /** Every claim that a scope stands for, `updated_at` apart: that is the account's own. */
  claims: {
    name: 'Ada Lovelace',
    given_name: 'Ada',
    family_name: 'Lovelace',
    middle_name: 'Augusta',
    nickname: 'Countess',
    preferred_username: 'ada',
    profile: 'https://people.example/ada',
    picture: 'https://people.example/ada.png',
    website: 'https://ada.example/',
    email: 'ada@people.example',
    email_verified: true,
    gender: 'female',
    birthdate: '1815-12-10',
    zoneinfo: 'Europe/London',
    locale: 'en-GB',
    phone_number: '+44 20 7946 0000',
    phone_number_verified: false,
    address: {
      formatted: '12 St James’s Square\nLondon SW1Y 4JH\nUnited Kingdom',
      street_address: '12 St James’s Square',
      locality: 'London',
      region: 'London',
      postal_code: 'SW1Y 4JH',
      country: 'United Kingdom',
    },
  },
}

/** A whole Countersign in one process, under an https issuer, with the plan's clients and one account. */
export interface Provider {
  issuer: string
  clients: { first: Client; second: Client; posting: Client }
  /** From discovery. */
  metadata: Metadata
  /** From `jwks_uri`. */
  keys: PublicKey[]
  call(url: string, ask?: Ask): Promise<Reply>
  stop(): Promise<void>
}

/** One request over TLS, sent as it is. */
const caller =
  (ca: Buffer) =>
  (url: string, { method = 'GET', headers = {}, body }: Ask = {}): Promise<Reply> =>
    new Promise((resolve, reject) => {
      const outgoing = request(url, { method, headers, ca, agent: false }, (incoming) => {
        const chunks: Buffer[] = []
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
        incoming.on('error', reject)
        incoming.on('end', () => {
          const text = Buffer.concat(chunks).toString()
          const { statusCode: status = 0, headers: received } = incoming
          resolve({ status, headers: received, text, json: () => JSON.parse(text) })
        })
      })
      outgoing.on('error', reject)
      outgoing.end(body)
    })

async function makeAccount(url: string): Promise<void> {
  const store = await openStore({ url })
  try {
    const directory = new AccountDirectory({ store, partitions: 1, now: Date.now, randomBytes, commitId: newCommitId })
    const { loginName, password, claims } = account
    const asker = { kind: ActorKind.SYSTEM, id: 'test', address: '', userAgent: '', traceparent: '' }
    await directory.create({ loginName, passwordHash: await new Passwords().hash(password), claims }, asker, true)
  } finally {
    await store.close()
  }
}

const clientLine = ({ id, secret, method }: Client, redirectUri: string): string =>
  `  - { id: ${id}, secret: ${secret}, auth_method: ${method}, require_pkce: false, redirect_uris: ['${redirectUri}'], ` +
  'grants: [authorization_code, refresh_token], scopes: [openid, profile, email, address, phone, offline_access] }'

/** @param redirectUri of all clients */
export async function startProvider(redirectUri: string): Promise<Provider> {
  const folder = temporaryFolder('openid')
  const authority = new TestAuthority()
  const { cert, key } = authority.issue('provider')
  const call = caller(authority.ca)
  authority.remove()
  const [http, grpc, management] = [await freePort(), await freePort(), await freePort()]
  const issuer = `https://127.0.0.1:${http}`
  const secret = () => randomBytes(24).toString('base64url')
  const clients: Provider['clients'] = {
    first: { id: 'first', secret: secret(), method: 'client_secret_basic' },
    second: { id: 'second', secret: secret(), method: 'client_secret_basic' },
    posting: { id: 'posting', secret: secret(), method: 'client_secret_post' },
  }
  const store = `sqlite:${join(folder, 'countersign.db')}`
  writeFileSync(join(folder, 'cert.pem'), cert)
  writeFileSync(join(folder, 'key.pem'), key, { mode: 0o600 })
  const lines = [
    'version: 1',
    `issuer: ${issuer}`,
    `master_key: ${secret()}`,
    `store: { url: '${store}' }`,
    `audit: { url: 'sqlite:${join(folder, 'audit.db')}' }`,
    `listen: { http: 127.0.0.1:${http}, grpc: 127.0.0.1:${grpc}, management: 127.0.0.1:${management} }`,
    `http: { cert: ${join(folder, 'cert.pem')}, key: ${join(folder, 'key.pem')} }`,
    'log: { level: warn }',
    'providers: [ { id: staff, kind: local } ]',
    'clients:',
    ...Object.values(clients).map((client) => clientLine(client, redirectUri)),
  ]
  writeFileSync(join(folder, 'countersign.yaml'), `${lines.join('\n')}\n`)
  await makeAccount(store)
  const server = new ServerProcess({
    program: process.execPath,
    args: [join(repositoryRoot, 'apps/embedded/src/main.ts'), '--config', join(folder, 'countersign.yaml')],
    port: management,
    folder,
    ready: () =>
      fetch(`http://127.0.0.1:${management}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      ),
  })
  await server.start()
  const metadata = (await call(`${issuer}/.well-known/openid-configuration`)).json<Metadata>()
  const { keys } = (await call(metadata.jwks_uri)).json<{ keys: PublicKey[] }>()
  return { issuer, clients, metadata, keys, call, stop: () => server.stop() }
}
