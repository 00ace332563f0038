import { createSecretKey, randomBytes } from 'node:crypto'
import { createRemoteKeys, fetchJson, type HttpRequest } from '@countersign/chassis'
import { asFailure, decodeEvent, Failure, type Partition } from '@countersign/contracts'
import type { Event } from '@countersign/contracts/events'
import { ClientRecord, SubjectRecord, type Confirmation } from '@countersign/contracts/records'
import { newCommitId, type Put } from '@countersign/store'
import { createMemoryStore } from '@countersign/store/memory'
import {
  accessToken,
  audienceResolver,
  beginCommit,
  buildClients,
  clientKey,
  createClientAuthentication,
  createRecordReader,
  createTokenFormat,
  describe as describeToken,
  grantPut,
  grantRecord,
  grantTypes,
  sealKeyFrom,
  Secrets,
  subjectKey,
  subjectRecord,
  tagKeyFrom,
  tokenKey,
  type ClientDefinition,
  type Introspection,
} from '@countersign/tokens'
import { createKeyRing } from '@countersign/tokens/keys'
import { openSigningKeys } from '../keys/index.ts'
import { createPeople } from '../people.ts'
import { placeOf } from '../revoke.ts'
import { createSubjectNames } from '../subject-names.ts'
import { createTokenAnswers } from '../token/answer.ts'
import { tokenEndpoint } from '../token/endpoint.ts'
import { tokenExchangeGrant } from '../token/exchange.ts'
import type { GrantHandler } from '../token/request.ts'
import { createIssuerKeys } from '../upstream/issuer-keys.ts'
import { createUpstreamTokens, type UpstreamProvider } from '../upstream/token.ts'

export const exchangeType = 'urn:ietf:params:oauth:grant-type:token-exchange'
export const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token'
export const jwtType = 'urn:ietf:params:oauth:token-type:jwt'
export const idTokenType = 'urn:ietf:params:oauth:token-type:id_token'
export const issuer = 'https://id.example'
export const partitions = 3
export const audiences = { reports: 'https://reports.example', mail: 'https://mail.example' } as const

const secret = { reveal: () => 'a-secret' }
const grants = [exchangeType]
const definitions: ClientDefinition[] = [
  { id: 'web', secret, grants, audience: ['reports', 'mail'], scopes: ['openid', 'read', 'write'] },
  { id: 'reports-api', secret, grants, introspect: ['reports'], audience: ['mail'] },
  { id: 'jwt-api', secret, grants, introspect: ['reports'], audience: ['mail'], accessTokenFormat: 'jwt' },
  { id: 'stranger', secret, grants, audience: ['reports', 'mail'], scopes: ['read'] },
  { id: 'paired', secret, grants, audience: ['reports'], scopes: ['read'], pairwiseSector: 'paired.example' },
  { id: 'native', public: true, grants, audience: ['mail'], scopes: ['read'] },
  { id: 'batch', secret, grants: ['client_credentials'] },
]
const resources = Object.entries(audiences).map(([id, audience]) => ({ id, audience }))
const masterKey = randomBytes(32)
const secrets = new Secrets()
const format = createTokenFormat(tagKeyFrom(masterKey))
const elsewhere: GrantHandler = () => Promise.reject(new Failure('internal', 'not in this setting'))
const unlimited = { blockedSeconds: () => undefined, fail: () => undefined, take: () => undefined }

export interface Answer {
  readonly status: number
  readonly body: Record<string, unknown> & { access_token: string }
}

/** The token endpoint with its exchange, on a store of its own. */
export class ExchangeSetting {
  at = Date.now()
  providers: UpstreamProvider[] = []
  /** What the next requests prove to hold. */
  confirmation: Confirmation | undefined
  readonly store = createMemoryStore()
  readonly #records = createRecordReader()
  readonly #clients = buildClients(definitions, resources, secrets, { accessTokenMs: 600_000, refreshTokenMs: 1 })
  readonly #now = () => this.at
  readonly #keyRing = createKeyRing({ reader: this.store, sealKeys: [sealKeyFrom(masterKey)], now: this.#now })
  readonly #route = this.#endpoint()

  #endpoint() {
    const { store } = this
    const now = this.#now
    const keyRing = this.#keyRing
    const common = { store, now, issuer, keyRing, format, partitions, commitId: newCommitId, randomBytes }
    const audienceOf = (name: string) =>
      audienceResolver(resources)([name])[0] ?? Object.values(audiences).find((each) => each === name)
    const bounds = { allowLoopback: true, timeoutMs: 2_000 }
    const keysOf = createIssuerKeys({
      fetchJson: (url) => fetchJson(url, bounds),
      keysFor: createRemoteKeys({ ...bounds, now }).keysFor,
      now,
    })
    const upstream = createUpstreamTokens({ providers: () => this.providers, keysOf, now })
    const subjectNames = createSubjectNames(createSecretKey(masterKey))
    const exchange = tokenExchangeGrant({ ...common, audienceOf, upstream, subjectNames })
    const handlers = Object.fromEntries(grantTypes.map((type) => [type, elsewhere])) as Record<
      (typeof grantTypes)[number],
      GrantHandler
    >
    return tokenEndpoint({
      authentication: createClientAuthentication(() => this.#clients, secrets, unlimited),
      issuer,
      grants: { ...handlers, [exchangeType]: exchange },
      possession: { of: async () => this.confirmation, dpopKey: async () => undefined, nonce: () => undefined },
      answers: createTokenAnswers({ ...common, people: createPeople(store), idTokenLifetimeMs: 1 }),
      failedGrants: unlimited,
      overBacklog: () => false,
    })
  }

  async start(): Promise<this> {
    const { store } = this
    await openSigningKeys({ store, sealKeys: [sealKeyFrom(masterKey)], now: this.#now, commitId: newCommitId })
    for (const id of this.#clients.keys()) await this.putClient(id)
    return this
  }

  async put(partition: Partition, ...puts: Put[]): Promise<void> {
    await this.store.commit({ ...beginCommit({ commitId: newCommitId() }, partition), puts })
  }

  async putClient(id: string, over: Partial<ClientRecord> = {}): Promise<void> {
    const record = { ...ClientRecord.decode(new Uint8Array()), id, ...over }
    for (let partition = 0; partition < partitions; partition++) {
      await this.put(partition, { key: clientKey(partition, id), value: ClientRecord.encode(record).finish() })
    }
  }

  async putSubject(partition: Partition, id: string, over: Partial<SubjectRecord> = {}): Promise<void> {
    const value = SubjectRecord.encode(subjectRecord({ id, ...over })).finish()
    await this.put(partition, { key: subjectKey(partition, id), value })
  }

  /** An access token that web got for reports, in Alice's name. */
  async given(over: { confirmation?: Confirmation; subject?: string; clientId?: string } = {}): Promise<string> {
    const { confirmation, subject = 'alice', clientId = 'web' } = over
    const partition = 1
    const client = this.#clients.get(clientId)!
    const id = subject === '' ? `standing.${clientId}` : 'g1'
    const grant = grantRecord({ id, clientId, subject, origin: 'authorization_code' })
    const terms = { client, partition, grant, clientEpoch: 0, subjectEpoch: 0, confirmation }
    const scope = subject === '' ? '' : 'openid read write'
    const audience = subject === '' ? [] : [audiences.reports]
    const access = accessToken({ ...terms, scope, audience }, format, randomBytes(32), this.at)
    if (subject !== '') await this.putSubject(partition, subject)
    await this.put(partition, grantPut(partition, grant), access.put)
    const granted = { access, grant }
    if (access.opaque !== undefined) return access.opaque
    const answers = createTokenAnswers({
      issuer,
      keyRing: this.#keyRing,
      people: createPeople(this.store),
      idTokenLifetimeMs: 1,
      now: this.#now,
    })
    return (await answers.of(granted, client)).access_token as string
  }

  /** Asks for an exchange, as a client. */
  async exchange(clientId: string, form: Record<string, string> | [string, string][]): Promise<Answer> {
    const { public: isPublic } = this.#clients.get(clientId)!
    const basic = `Basic ${Buffer.from(`${clientId}:a-secret`).toString('base64')}`
    const parameters = new URLSearchParams(form)
    parameters.set('grant_type', exchangeType)
    if (isPublic) parameters.set('client_id', clientId)
    const request = {
      method: 'POST',
      path: '/oauth2/token',
      query: '',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        ...(!isPublic && { authorization: basic }),
      },
      body: Buffer.from(parameters.toString()),
      address: '127.0.0.1',
      userAgent: 'test',
      traceparent: '',
      rawHeader: () => [],
      headerValues: () => [],
    } as unknown as HttpRequest
    const answered = await Promise.resolve(this.#route.methods.POST!(request)).catch((thrown: unknown) =>
      this.#route.onFailure(asFailure(thrown), request),
    )
    return { status: answered.status, body: JSON.parse(String(answered.body)) as Answer['body'] }
  }

  /** What an introspection would tell a caller who may hear of every token. */
  async introspect(token: string): Promise<Introspection> {
    const place = await placeOf(token, { format, keyRing: this.#keyRing, issuer })
    const entries = place && (await this.store.follow(tokenKey(place.partition, place.recordDigest)))
    return entries ? describeToken(this.#records.held(entries), place!.digest, this.at) : { active: false }
  }

  async events(): Promise<Event[]> {
    const all: Event[] = []
    for (let partition = 0; partition < partitions; partition++) {
      for (const { event } of await this.store.outbox(partition).read(0, 1_000)) all.push(decodeEvent(event))
    }
    return all
  }
}
