import { createHash } from 'node:crypto'
import type { HttpRequest } from '@countersign/chassis'
import { decodeEvent } from '@countersign/contracts'
import { createMemoryStore } from '@countersign/store/memory'
import {
  buildClients,
  createClientAuthentication,
  createTokenFormat,
  Secrets,
  tagKeyFrom,
  type ClientDefinition,
} from '@countersign/tokens'
import { createTokenIssuer } from '@countersign/service-token-issuer'
import { plainSettings } from '@countersign/service-token-issuer/testing/settings'
import { limits } from './limits.ts'
import { Random } from './random.ts'

const audience = 'https://reports.example'
const neverBlocked = { blockedSeconds: () => undefined, fail: () => undefined }
const secretOf = (id: string) => `secret of ${id}`
const definition = (told: Omit<ClientDefinition, 'secret'>): ClientDefinition => ({
  ...told,
  secret: { reveal: () => secretOf(told.id) },
})

/** Clients with tokens for machines. */
export const machineClients = ['batch', 'sync', 'report'] as const
/** The client that people have their tokens through. */
export const peoplesClient = 'web'
/** The resource server that asks about tokens. */
export const resourceServer = 'reports-api'

const machine = (id: string) =>
  definition({ id, grants: ['client_credentials'], scopes: ['read'], audience: ['reports'] })
const definitions = [
  ...machineClients.map(machine),
  definition({ id: peoplesClient, scopes: ['read'], audience: ['reports'] }),
  definition({ id: resourceServer, introspect: ['reports'] }),
]

export const tokenAudience = audience

/** What all processes share by their configuration; the same in every world. */
export interface Parties {
  readonly clients: ReturnType<typeof buildClients>
  readonly authentication: ReturnType<typeof createClientAuthentication>
  readonly format: ReturnType<typeof createTokenFormat>
  readonly settings: ReturnType<typeof plainSettings>
}

export function createParties(): Parties {
  const bytesOf = (text: string) => createHash('sha256').update(text).digest()
  const secrets = new Secrets(bytesOf('salt'))
  const clients = buildClients(definitions, [{ id: 'reports', audience }], secrets, {
    accessTokenMs: limits.lifetimeMs,
    refreshTokenMs: limits.lifetimeMs,
  })
  return {
    clients,
    authentication: createClientAuthentication(() => clients, secrets, neverBlocked),
    format: createTokenFormat(tagKeyFrom(bytesOf('master key'))),
    settings: plainSettings(bytesOf('master key')),
  }
}

export const issuerUrl = 'https://id.example'

/** What a token issuer is made with besides its store, its time and its randomness. */
export const issuerSettings = ({ clients, authentication, settings }: Parties) => ({
  ...settings,
  issuer: issuerUrl,
  clients: () => clients,
  authenticationWith: () => authentication,
})

export const authorizationOf = (id: string): string =>
  `Basic ${Buffer.from(`${id}:${encodeURIComponent(secretOf(id))}`).toString('base64')}`

/** A client's form, as the HTTP server hands it on. */
export function postOf(clientId: string, path: string, form: Record<string, string>): HttpRequest {
  return {
    method: 'POST',
    path,
    query: '',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      authorization: authorizationOf(clientId),
    },
    body: Buffer.from(new URLSearchParams(form).toString()),
    address: '192.0.2.1',
    userAgent: 'simulator',
    traceparent: '',
    headerValues: () => [],
    clientCertificate: undefined,
    presentedCertificate: undefined,
    signal: new AbortController().signal,
  }
}

/** What a store holds once a token issuer has run on it for the first time: making its keys takes longer than a world. */
export async function foundedStore(parties: Parties, partitions: number, seed: number): Promise<unknown> {
  const random = new Random(seed)
  const now = () => limits.beginningOfTimeMs - 1_000
  const store = createMemoryStore({ now, randomEpoch: () => random.hex(16) })
  await createTokenIssuer({
    ...issuerSettings(parties),
    store,
    partitions,
    now,
    commitId: () => random.hex(32),
    randomBytes: (count) => random.bytes(count),
  })
  // What founding told is in the journal already.
  for (let partition = 0; partition < partitions; partition++) {
    const outbox = store.outbox(partition)
    const entries = await outbox.read(0, 1_000)
    await outbox.remove(entries.map(({ sequence, event }) => ({ sequence, eventId: decodeEvent(event).id })))
  }
  return store.snapshot()
}
