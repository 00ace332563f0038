import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { parseRevision, type FactPush } from '@countersign/contracts'

import type { WatchRequest, WatchResponse } from '@countersign/contracts/introspection'
import { ManualClock } from '@countersign/leased-cache/testing/clock'
import { tipOf } from '@countersign/store'
import { createMemoryStore, type MemoryStore } from '@countersign/store/memory'
import {
  buildClients,
  clientKey,
  createClientAuthentication,
  createTokenFormat,
  grantKey,
  issueClientCredentials,
  revokeHeld,
  createRecordReader,
  beginCommit,
  grantRecord,
  tokenRecord,
  type Deciding,
  sealKeyFrom,
  Secrets,
  system,
  tagKeyFrom,
  tokenKey,
  type Client,
  type ClientState,
} from '@countersign/tokens'
import {
  createKeyRing,
  keySetKey,
  sealPrivateJwk,
  type JWK,
  type JWTPayload,
  type KeyRing,
} from '@countersign/tokens/keys'
import {
  ClientOrigin,
  ClientRecord,
  GrantRecord,
  KeySetRecord,
  TokenKind,
  TokenRecord,
} from '@countersign/contracts/records'
import { basicAuthorization } from './basic.ts'
import { createIntrospectionService, type IntrospectionService, type IntrospectionServiceOptions } from '../service.ts'

const secret = (text: string) => ({ reveal: () => text })
const hex = (bytes: number) => randomBytes(bytes).toString('hex')

export const issuer = 'https://issuer.example'

/** A store with one machine client, a service over it, and whoever asks. */
export class World {
  readonly clock = new ManualClock()
  readonly store: MemoryStore = createMemoryStore({ now: this.clock.now })
  readonly format = createTokenFormat(tagKeyFrom(randomBytes(32)))
  readonly sealKey = sealKeyFrom(randomBytes(32))
  readonly keyRing = createKeyRing({
    reader: { get: (keys) => this.#read('get', () => this.store.get(keys)) },
    sealKeys: [this.sealKey],
    now: this.clock.now,
  })
  readonly secrets = new Secrets()
  readonly clients = buildClients(
    [
      {
        id: 'batch',
        secret: secret('batch-secret'),
        grants: ['client_credentials'],
        scopes: ['read'],
        audience: ['r'],
      },
      { id: 'api', secret: secret('api-secret'), introspect: ['r'] },
      { id: 'operator', secret: secret('operator-secret'), audit: true },
    ].map((definition) => definition as never),
    [{ id: 'r', audience: 'urn:r' } as never],
    this.secrets,
    { accessTokenMs: 60_000, refreshTokenMs: 60_000 },
  )
  readonly authentication = createClientAuthentication(() => this.clients, this.secrets, {
    blockedSeconds: () => undefined,
    fail: () => undefined,
  })
  readonly announced = new Set<(push: FactPush) => void>()
  readonly surveyed = new Set<(question: Uint8Array) => Uint8Array | undefined>()
  readonly logged: string[] = []
  /** Reads of the store, by kind. */
  readonly reads = { follow: 0, facts: 0, get: 0 }
  /** What a read of the store waits for. */
  gate: Promise<void> | undefined
  isDown = false

  async #read<T>(kind: 'follow' | 'facts' | 'get', read: () => Promise<T>): Promise<T> {
    this.reads[kind]++
    if (this.isDown) throw new Error('down')
    const answer = await read()
    await this.gate
    return answer
  }

  readonly reader = {
    get: async (keys: string[]) => {
      if (this.isDown) throw new Error('down')
      return this.store.get(keys)
    },
    follow: (key: string) => this.#read('follow', () => this.store.follow(key)),
    facts: (partition: number, after?: string, tip?: string) =>
      this.#read('facts', () => this.store.facts(partition, after, tip)),
  }

  /** Lets time pass: timers run in order, and what they set off is awaited. */
  async pass(ms: number): Promise<void> {
    let leftMs = ms
    for (;;) {
      // A thousand caches are answered in fifty turns.
      for (let turn = 0; turn < 60; turn++) await new Promise((resolve) => setImmediate(resolve))
      const nextMs = Math.max(0, Math.min(...this.clock.waits, Infinity))
      if (nextMs > leftMs) break
      this.clock.advance(nextMs)
      leftMs -= nextMs
    }
    this.clock.advance(leftMs)
  }

  service(options: Partial<IntrospectionServiceOptions> = {}): IntrospectionService {
    const subscribe =
      <T>(handlers: Set<T>) =>
      (handler: T) => {
        handlers.add(handler)
        return { close: async () => void handlers.delete(handler) }
      }
    return createIntrospectionService({
      reader: this.reader,
      bus: {
        onAnnounced: subscribe(this.announced),
        onSurvey: subscribe(this.surveyed),
        survey: async (question) => [...this.surveyed].flatMap((handler) => handler(question) ?? []),
      },
      partitions: 1,
      maxStalenessMs: 1_000,
      cacheEntries: 1_000,
      replica: 'one',
      clock: this.clock,
      random: Math.random,
      format: this.format,
      keyRing: this.keyRing,
      scanning: { blockedSeconds: () => undefined, fail: () => undefined },
      issuer,
      authentication: this.authentication,
      log: {
        warn: (_, message) => void this.logged.push(message),
        error: (_, message) => void this.logged.push(message),
      },
      ...options,
    })
  }

  client(id: string): Client {
    return this.clients.get(id)!
  }

  /** Writes the client and its standing grant. */
  async prepare(): Promise<void> {
    const { id, digest } = this.client('batch')
    const record: ClientRecord = {
      id,
      origin: ClientOrigin.FILE,
      digest,
      homePartition: 0,
      createdAt: 1,
      disabledAt: 0,
      epoch: 0,
    }
    const grant = grantRecord({ id: 'standing.batch', clientId: id, createdAt: 1 })
    const puts = [
      { key: clientKey(0, id), value: ClientRecord.encode(record).finish() },
      { key: grantKey(0, grant.id), value: GrantRecord.encode(grant).finish(), links: [clientKey(0, id)] },
    ]
    await this.store.commit({ id: hex(16), partition: 0, checks: [], puts, deletes: [], events: [], facts: [] })
  }

  /** Makes the signing keys, as the issuer does. */
  async makeKeys(): Promise<void> {
    const pairs = {
      ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
      RS256: generateKeyPairSync('rsa', { modulusLength: 2_048 }),
    }
    const keys = Object.entries(pairs).map(([alg, { publicKey, privateKey }]) => {
      const kid = `key-${alg}`
      const publicJwk = JSON.stringify(publicKey.export({ format: 'jwk' }))
      const sealedPrivateJwk = sealPrivateJwk(this.sealKey, kid, privateKey.export({ format: 'jwk' }) as JWK)
      return { kid, alg, publicJwk, sealedPrivateJwk, createdAt: 1, activeAt: 0, retiredAt: 0 }
    })
    const commit = beginCommit({ commitId: hex(16) }, 0)
    commit.puts.push({ key: keySetKey, value: KeySetRecord.encode({ keys }).finish() })
    await this.store.commit(commit)
  }

  async issue(): Promise<string> {
    const [client, standingGrant] = await this.store.get([clientKey(0, 'batch'), grantKey(0, 'standing.batch')])
    const state: ClientState = {
      partition: 0,
      client: { record: ClientRecord.decode(client!.value), version: client!.version },
      standingGrant: { record: GrantRecord.decode(standingGrant!.value), version: standingGrant!.version },
    }
    const asked = { client: this.client('batch'), state, scope: undefined, resources: [], confirmation: undefined }
    const issued = issueClientCredentials(asked, this.format, randomBytes(32), this.#deciding())
    await this.store.commit(issued.commit)
    return issued.access.opaque!
  }

  /** Writes a token's record as it is told, and what it hangs on. @returns an opaque token, or what its record is under */
  async put(fields: Partial<TokenRecord>, jti?: string): Promise<{ token: string; digest: string }> {
    const minted = this.format.mint(TokenKind.ACCESS_TOKEN, 0, randomBytes(32))
    const digest = jti ?? minted.digest
    const now = this.clock.now()
    const record = tokenRecord({
      kind: TokenKind.ACCESS_TOKEN,
      grantId: 'standing.batch',
      scope: 'read',
      audience: ['urn:r'],
      issuedAt: now,
      expiresAt: now + 60_000,
      ...fields,
    })
    const clients = ['batch', ...(record.clientId === '' ? [] : [record.clientId])].map((id) => clientKey(0, id))
    const links = [grantKey(0, record.grantId), ...clients, ...record.ancestors.map((each) => tokenKey(0, each))]
    const commit = beginCommit({ commitId: hex(16) }, 0)
    commit.puts.push({ key: tokenKey(0, digest), value: TokenRecord.encode(record).finish(), links })
    await this.store.commit(commit)
    return { token: minted.token, digest }
  }

  /** A JWT access token, signed by our key unless another ring is given. */
  async sign(claims: JWTPayload, typ = 'at+jwt', ring: KeyRing = this.keyRing): Promise<string> {
    const exp = Math.floor(this.clock.now() / 1_000) + 60
    return ring.sign({ iss: issuer, exp, aud: 'urn:r', sub: 'batch', ...claims }, { alg: 'ES256', typ })
  }

  #deciding(): Deciding {
    return { commitId: hex(16), asker: system, now: this.clock.now() }
  }

  /** @returns what is announced, and where it is */
  async revoke(token: string): Promise<FactPush> {
    return this.revokeParsed(this.format.parse(token)!)
  }

  /** Revokes by what a record is under. */
  async revokeParsed({ digest, recordDigest = digest }: { digest: string; recordDigest?: string }): Promise<FactPush> {
    const held = createRecordReader().held((await this.store.follow(tokenKey(0, recordDigest)))!)
    const commit = revokeHeld(held, { partition: 0, digest, recordDigest }, 'test', this.#deciding())!
    const committed = await this.store.commit(commit)
    if (committed === 'conflict') throw new Error('conflict')
    const { revision, previousTip } = committed
    return { revision, previousTip, tip: tipOf(previousTip, commit.id), facts: commit.facts }
  }

  announce(push: FactPush): void {
    for (const handler of this.announced) handler(push)
  }

  context(id: string) {
    const authorization = basicAuthorization(id, `${id}-secret`)
    return {
      metadata: { get: (name: string) => (name === 'authorization' ? [authorization] : []) },
      peerAddress: '127.0.0.1',
      peerCertificate: undefined,
    }
  }

  /** Opens a watch, and keeps what is heard. */
  watch(service: IntrospectionService, id = 'api') {
    const heard: WatchResponse[] = []
    const failed: unknown[] = []
    const peer = {
      send: (response: WatchResponse) => void heard.push(response),
      fail: (why: unknown) => void failed.push(why),
    }
    const listener = service.calls.watch.converse(peer, this.context(id))
    const say = (say: WatchRequest['say']) => listener.onRequest({ say })
    return {
      heard,
      failed,
      close: () => listener.onClose(),
      hello: (maxStalenessMs = 1_000, name = 'cache') => say({ $case: 'hello', value: { name, maxStalenessMs } }),
      probe: (nonce: number, places: { revision: string; tip: string }[] = []) =>
        say({ $case: 'probe', value: { nonce, places } }),
      applied: (...revisions: string[]) => say({ $case: 'applied', value: { revisions } }),
      answers: () => heard.flatMap(({ say: told }) => (told?.$case === 'answer' ? [told.value] : [])),
      pushes: () => heard.flatMap(({ say: told }) => (told?.$case === 'push' ? [told.value] : [])),
    }
  }
}

export const sequenceOf = (revision: string): number => parseRevision(revision)!.sequence
