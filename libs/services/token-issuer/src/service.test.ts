import { beforeEach, describe, expect, test } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import type { HttpRequest, Route } from '@countersign/chassis'
import { asFailure, decodeEvent, Failure } from '@countersign/contracts'
import { ClientRecord, GrantRecord, KeySetRecord } from '@countersign/contracts/records'
import { keyOf, newCommitId, type Commit, type Store } from '@countersign/store'
import { createMemoryStore } from '@countersign/store/memory'
import {
  buildClients,
  clientKey,
  createClientAuthentication,
  grantKey,
  sealKeyFrom,
  Secrets,
  unseal,
  type ClientDefinition,
} from '@countersign/tokens'
import { createTokenIssuer, type TokenIssuer } from './service.ts'
import { plainSettings } from './testing/settings.ts'

const masterKey = randomBytes(32)
const secrets = new Secrets()
const resources = [{ id: 'reports', audience: 'https://reports.example' }]
const secret = { reveal: () => 'batch-secret' }
const batch: ClientDefinition = {
  id: 'batch',
  secret,
  grants: ['client_credentials'],
  scopes: ['read'],
  audience: ['reports'],
}

/** A service on a store, as one process has it. */
class Process {
  definitions: ClientDefinition[] = [batch]
  isOverBacklog = false
  issuer!: TokenIssuer
  readonly store: Store

  constructor(store: Store) {
    this.store = store
  }

  async start(partitions = 1): Promise<this> {
    const clients = () =>
      buildClients(this.definitions, resources, secrets, { accessTokenMs: 60_000, refreshTokenMs: 60_000 })
    this.issuer = await createTokenIssuer({
      store: this.store,
      partitions,
      ...plainSettings(masterKey),
      clients,
      authenticationWith: () =>
        createClientAuthentication(clients, secrets, { blockedSeconds: () => undefined, fail: () => undefined }),
      overBacklog: () => this.isOverBacklog,
      now: Date.now,
      commitId: newCommitId,
      randomBytes,
    })
    return this
  }

  async post(path: string, form: Record<string, string>) {
    const route: Route = this.issuer.routes.find((each) => each.path === path)!
    const request = {
      method: 'POST',
      path,
      query: '',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        authorization: `Basic ${Buffer.from('batch:batch-secret').toString('base64')}`,
      },
      body: Buffer.from(new URLSearchParams(form).toString()),
      address: '127.0.0.1',
      userAgent: 'test',
      headerValues: () => [],
      traceparent: '',
    } as unknown as HttpRequest
    try {
      return await route.methods.POST!(request)
    } catch (thrown) {
      return route.onFailure(asFailure(thrown), request)
    }
  }

  async issue(): Promise<{ status: number; token: string; error: string }> {
    const { status, body } = await this.post('/oauth2/token', { grant_type: 'client_credentials' })
    const { access_token: token, error } = JSON.parse(String(body)) as Record<string, string>
    return { status, token: token!, error: error! }
  }
}

const told = async (store: Store, partition = 0) =>
  (await store.outbox(partition).read(0, 1_000)).map(({ event }) => decodeEvent(event).type)

describe('the token issuer', () => {
  let store: Store
  let service: Process

  beforeEach(async () => {
    store = createMemoryStore()
    service = await new Process(store).start()
  })

  test('makes its keys once, however many start at once, and keeps their private parts sealed', async () => {
    const empty = createMemoryStore()
    await Promise.all([1, 2, 3].map(() => new Process(empty).start()))
    expect((await told(empty)).filter((type) => type === 'key.rotated')).toHaveLength(1)
    const [entry] = await empty.get([keyOf(0, 'keys')])
    const { keys } = KeySetRecord.decode(entry!.value)
    expect(keys.map(({ alg }) => alg)).toEqual(['RS256', 'ES256', 'EdDSA'])
    expect(Buffer.from(entry!.value).toString('latin1')).not.toContain('"d":')
    for (const { kid, sealedPrivateJwk } of keys) {
      const opened = unseal([sealKeyFrom(masterKey)], sealedPrivateJwk, `signing key ${kid}`)
      expect(JSON.parse(opened!.toString())).toHaveProperty('d')
    }
  })

  test('tells of clients when they come, change and go, once each', async () => {
    await service.issuer.reconcile()
    service.definitions = [{ ...batch, scopes: ['read', 'write'] }]
    await service.issuer.reconcile()
    await service.issuer.reconcile()
    service.definitions = []
    await service.issuer.reconcile()
    const clients = (await told(store)).filter((type) => type.startsWith('client.'))
    expect(clients).toEqual(['client.created', 'client.changed', 'client.deleted'])
    expect((await store.facts(0, (await store.facts(0, undefined)).revision.replace(/\d+$/, '0'))).facts).toEqual([
      { sequence: 1, fact: { kind: 'client', id: 'batch' }, tip: expect.stringMatching(/^[0-9a-f]{16}$/) },
    ])
  })

  test('keeps a copy of every client in every partition, and its grants where they were', async () => {
    const wide = createMemoryStore()
    const first = await new Process(wide).start(4)
    const read = async (partition: number) => {
      const [entry] = await wide.get([clientKey(partition, 'batch')])
      return entry && ClientRecord.decode(entry.value).homePartition
    }
    const home = await read(0)
    expect(await Promise.all([0, 1, 2, 3].map(read))).toEqual([home, home, home, home])
    const { token } = await first.issue()
    await new Process(wide).start(16)
    expect(await Promise.all([0, 8, 15].map(read))).toEqual([home, home, home])
    expect(token).toMatch(/^cs_at_/)
  })

  test('refuses a client that was disabled elsewhere at its very next request', async () => {
    expect((await service.issue()).status).toBe(200)
    const key = clientKey(0, 'batch')
    const [entry] = await store.get([key])
    const record = { ...ClientRecord.decode(entry!.value), disabledAt: 1 }
    await store.commit({ ...emptyCommit(), puts: [{ key, value: ClientRecord.encode(record).finish() }] })
    expect(await service.issue()).toMatchObject({ status: 401, error: 'invalid_client' })
  })

  test('refuses a client whose standing grant was revoked elsewhere', async () => {
    const key = grantKey(0, 'standing.batch')
    const [entry] = await store.get([key])
    const record = { ...GrantRecord.decode(entry!.value), revokedAt: 1 }
    await store.commit({ ...emptyCommit(), puts: [{ key, value: GrantRecord.encode(record).finish() }] })
    expect(await service.issue()).toMatchObject({ status: 401, error: 'invalid_client' })
  })

  test('refuses new grants while the journal is too far behind, and revocations never', async () => {
    const { token } = await service.issue()
    service.isOverBacklog = true
    expect(await service.issue()).toMatchObject({ status: 503, error: 'temporarily_unavailable' })
    const revoked = await service.post('/oauth2/revoke', { token })
    expect(revoked.status).toBe(200)
    expect(revoked.headers).toHaveProperty('countersign-revision')
  })

  test('answers 503 and never 200 when the store fails', async () => {
    const { token } = await service.issue()
    const down = () => Promise.reject(new Failure('unavailable', 'the store does not answer'))
    const failing = new Process({
      ...store,
      commit: store.commit.bind(store),
      get: store.get.bind(store),
      list: store.list.bind(store),
    } as Store)
    await failing.start()
    Object.assign(failing.store, { commit: down })
    expect((await failing.issue()).status).toBe(503)
    Object.assign(failing.store, { follow: down })
    expect((await failing.post('/oauth2/revoke', { token })).status).toBe(503)
  })

  test('gives up with 503 when others are faster every time', async () => {
    Object.assign(store, { commit: () => Promise.resolve('conflict') })
    expect((await service.issue()).status).toBe(503)
  })

  test('revokes once, whoever asks how often at once', async () => {
    const { token } = await service.issue()
    const replies = await Promise.all(Array.from({ length: 20 }, () => service.post('/oauth2/revoke', { token })))
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200]))
    expect((await told(store)).filter((type) => type === 'token.revoked')).toHaveLength(1)
  })
})

const emptyCommit = (): Commit => ({
  id: newCommitId(),
  partition: 0,
  checks: [],
  puts: [],
  deletes: [],
  events: [],
  facts: [],
})
