import { randomBytes } from 'node:crypto'
import { createHttpServer, createMetrics } from '@countersign/chassis'
import { decodeEvent, Failure } from '@countersign/contracts'
import { newCommitId, type Store } from '@countersign/store'
import { createMemoryStore } from '@countersign/store/memory'
import {
  accessToken,
  authenticateClient,
  authenticationMethods,
  buildClients,
  createClientAuthentication,
  createRecordReader,
  createTokenFormat,
  describe,
  grantOf,
  grantPut,
  beginCommit,
  issueClientCredentials,
  Secrets,
  sessionRecord,
  subjectKey,
  subjectRecord,
  system,
  tagKeyFrom,
  tokenKey,
  type Client,
  type ClientDefinition,
} from '@countersign/tokens'
import { SubjectRecord } from '@countersign/contracts/records'
import { ClientDirectory } from '../../clients/directory.ts'
import { readCopy } from '../../clients/copies.ts'
import { createClientSource } from '../../clients/source.ts'
import { registrationRouter, type RegistrationEndpointOptions } from '../endpoint.ts'
import { Registrations } from '../registrations.ts'

const format = createTokenFormat(tagKeyFrom(randomBytes(32)))
export const initialTokens = ['first-initial-token', 'second-initial-token'] as const
export const parseToken = (token: string) => format.parse(token)!

export interface Answer {
  status: number
  headers: Headers
  /** The JSON of it. */
  told: Record<string, unknown>
}

/** One replica of the service, over HTTP. */
export interface Replica {
  url: string
  registrations: Registrations
  directory: ClientDirectory
  find(id: string): Promise<Client | undefined>
  /** The client that a token request with these credentials is of. @throws Failure `invalid_client` */
  authenticated(id: string, secret: string): Promise<Client>
  ask(method: string, path: string, body?: unknown, token?: string, headers?: Record<string, string>): Promise<Answer>
  register(metadata: object, token?: string): Promise<Answer>
  logged: string[]
  settings: { -readonly [K in keyof Settings]: Settings[K] }
  close(): Promise<void>
}

export type Settings = ReturnType<RegistrationEndpointOptions['settings']>

export interface ReplicaOptions extends Partial<RegistrationEndpointOptions> {
  store?: Store
  partitions?: number
  configured?: ClientDefinition[]
}

const secretOf = (text: string) => ({ reveal: () => text })

export async function openReplica({
  store = createMemoryStore(),
  partitions = 1,
  configured = [],
  ...further
}: ReplicaOptions = {}): Promise<Replica> {
  const secrets = new Secrets()
  const common = { store, partitions, format, now: Date.now, commitId: newCommitId, randomBytes }
  const registration: Replica['settings'] = {
    enabled: true,
    initialAccessTokens: initialTokens.map(secretOf),
    scopes: ['openid', 'email', 'read'],
    grants: ['authorization_code', 'refresh_token', 'client_credentials'],
    audience: ['reports'],
  }
  const resources = [{ id: 'reports', audience: 'https://reports.example' }]
  const lifetimes = { accessTokenMs: 60_000, refreshTokenMs: 600_000 }
  const settings = { registration, resources, lifetimes }
  const clients = buildClients(configured, resources, secrets, lifetimes)
  const source = createClientSource({ configured: () => clients, store, secrets, settings: () => settings })
  const registrations = new Registrations(common)
  const directory = new ClientDirectory(common)
  await directory.reconcile(clients)
  const logged: string[] = []
  const log = { error: (_: object, message: string) => void logged.push(message), warn: () => undefined }
  const endpoint: RegistrationEndpointOptions = {
    ...common,
    issuer: 'https://id.example',
    registrations,
    settings: () => registration,
    authenticationMethods,
    secrets,
    reach: { allowLoopback: false },
    fetchJson: () => Promise.reject(new Failure('unavailable', 'not there')),
    limiter: { blockedSeconds: () => undefined, fail: () => undefined, take: () => undefined },
    overBacklog: () => false,
    log,
    ...further,
  }
  const server = createHttpServer({
    name: 'test',
    routes: [],
    express: [registrationRouter(endpoint)],
    log,
    metrics: createMetrics({ name: 'test' }),
    trustedProxies: [],
  })
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 })
  const url = `http://127.0.0.1:${port}`
  const open = { blockedSeconds: () => undefined, fail: () => undefined }
  const authentication = createClientAuthentication(() => clients, secrets, open, { find: source.find })

  const ask = askerOf(url)
  return {
    url,
    registrations,
    directory,
    logged,
    settings: registration,
    find: async (id) => source.find(id),
    authenticated: async (id, secret) => {
      const form = new Map()
      const request = { authorization: 'x', parseBasic: () => ({ id, secret }), form, address: '', path: '' }
      return authenticateClient(authentication, request, true)
    },
    ask,
    register: (metadata, token = initialTokens[0]) => ask('POST', '/oauth2/register', metadata, token),
    close: () => server.close(1_000),
  }
}

function askerOf(url: string): Replica['ask'] {
  return async (method, path, body, token, headers = {}) => {
    const response = await fetch(url + path, {
      method,
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, headers: response.headers, told: text === '' ? {} : JSON.parse(text) }
  }
}

/** A machine's token, as its client gets it; in the client's home. */
export async function machineToken(store: Store, { directory }: Replica, client: Client): Promise<string> {
  const state = await directory.state(client, false)
  const by = { commitId: newCommitId(), asker: system, now: Date.now() }
  const request = { client, state, scope: undefined, resources: [], confirmation: undefined }
  const { commit, access } = issueClientCredentials(request, format, randomBytes(32), by)
  if ((await store.commit(commit)) === 'conflict') throw new Failure('conflict', 'the client has changed')
  return access.opaque!
}

/** A person's token, in that person's partition. */
export async function personToken(store: Store, client: Client, partition: number): Promise<string> {
  const { client: copy } = await readCopy(store, client.id, partition)
  const subject = newCommitId()
  const session = sessionRecord({ id: newCommitId(), subject })
  const agreed = { client, subject, session, scope: 'openid', audience: client.audience, claims: '', toldSubject: '' }
  const grant = { ...grantOf({ ...agreed, origin: 'authorization_code' }, newCommitId(), Date.now()), sessionId: '' }
  const commit = beginCommit({ commitId: newCommitId() }, partition)
  const epochs = { clientEpoch: copy!.record.epoch, subjectEpoch: 0 }
  const terms = { client, partition, grant, scope: 'openid', audience: client.audience, confirmation: undefined }
  const access = accessToken({ ...terms, ...epochs }, format, randomBytes(32), Date.now())
  const person = SubjectRecord.encode(subjectRecord({ id: subject })).finish()
  commit.puts.push(grantPut(partition, grant), access.put, { key: subjectKey(partition, subject), value: person })
  await store.commit(commit)
  return access.opaque!
}

/** Whether introspection would call a token active now. */
export async function isActive(store: Store, token: string): Promise<boolean> {
  const { partition, recordDigest, digest } = format.parse(token)!
  const entries = await store.follow(tokenKey(partition, recordDigest))
  return entries !== undefined && describe(createRecordReader().held(entries), digest, Date.now()).active
}

export const eventsOf = async (store: Store, partition = 0) =>
  (await store.outbox(partition).read(0, 1_000)).map(({ event }) => decodeEvent(event))
