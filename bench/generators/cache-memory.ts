// Fills caches with answers and says how much of the heap an entry takes. Needs --expose-gc.
import { randomBytes } from 'node:crypto'
import { formatRevision } from '@countersign/contracts'
import { GrantRecord, TokenKind, TokenRecord } from '@countersign/contracts/records'
import { ClientRecord, SessionRecord, SubjectRecord } from '@countersign/contracts/records'
import type { Outcome, WatchResponse } from '@countersign/contracts/introspection'
import { systemClock } from '@countersign/leased-cache'
import { LeasedVerifier } from '@countersign/sdk/verifier'
import { createIntrospectionService } from '@countersign/service-introspection'
import type { Entry } from '@countersign/store'
import {
  buildClients,
  createClientAuthentication,
  createTokenFormat,
  grantRecord,
  sealKeyFrom,
  Secrets,
  tagKeyFrom,
  tokenRecord,
} from '@countersign/tokens'
import { createKeyRing } from '@countersign/tokens/keys'

export interface CacheMemoryFigures {
  /** Bytes of heap for each kept answer. */
  sdkPerson: number
  sdkMachine: number
  servicePerson: number
  /** Bytes of heap that a scan of unknown tokens added, after as many as a cache keeps. */
  sdkScan: number
  serviceScan: number
}

const { entries, scanned } = JSON.parse(process.argv[2]!) as { entries: number; scanned: number }
const collect = (globalThis as { gc?: () => void }).gc
if (!collect) throw new Error('needs --expose-gc')

async function heapUsed(): Promise<number> {
  for (let n = 0; n < 4; n++) {
    collect!()
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return process.memoryUsage().heapUsed
}

const format = createTokenFormat(tagKeyFrom(randomBytes(32)))
/** As a request brings it: cut out of a header. */
const made = (): string => `Bearer ${format.mint(TokenKind.ACCESS_TOKEN, 0, randomBytes(32)).token}`.slice(7)
const id = (): string => randomBytes(16).toString('base64url')
const clock = systemClock()
const quiet = { blockedSeconds: () => undefined, fail: () => undefined }
const log = { info: () => undefined, warn: () => undefined, error: () => undefined }
const head = { revision: formatRevision({ partition: 0, epoch: '0123456789abcdef', sequence: 0 }), tip: '' }
const expiresAt = Date.now() + 3_600_000

function answerOf(isPerson: boolean): Outcome {
  const subject = isPerson ? id() : ''
  const value = {
    active: true,
    scope: 'openid profile read:reports',
    clientId: 'web-application',
    username: '',
    tokenType: 'Bearer',
    exp: Math.floor(expiresAt / 1_000),
    iat: Math.floor(Date.now() / 1_000),
    nbf: 0,
    sub: isPerson ? subject : 'web-application',
    aud: ['https://reports.example'],
    iss: 'https://issuer.example',
    jti: id(),
    revokedBy: {
      partition: 0,
      grantId: isPerson ? id() : 'standing.batch',
      sessionId: isPerson ? id() : '',
      subject,
      also: [],
    },
    roles: [],
    attributes: [],
    cnf: undefined,
    actors: [],
  }
  return { outcome: { $case: 'response', value } }
}

async function verifier(answer: () => Outcome): Promise<LeasedVerifier> {
  const made = new LeasedVerifier({
    upstream: {
      ask: async (questions) => questions.map(answer),
      watch: ({ onResponse }) => ({
        send({ say }) {
          if (say?.$case !== 'probe') return
          const logs = [{ ...head, complete: true, otherHistory: false, facts: [] }]
          const response: WatchResponse = { say: { $case: 'answer', value: { nonce: say.value.nonce, logs } } }
          setImmediate(() => onResponse(response))
        },
        close: () => undefined,
      }),
      close: () => undefined,
    },
    clock,
    random: Math.random,
    maxStalenessMs: 60_000,
    cacheEntries: entries,
    deadlineMs: 60_000,
    name: 'memory',
    log,
  })
  while (!made.stats().isWatching) await new Promise((resolve) => setTimeout(resolve, 1))
  return made
}

async function sdk(isPerson: boolean): Promise<number> {
  const cache = await verifier(() => answerOf(isPerson))
  await cache.verify(made())
  const before = await heapUsed()
  for (let n = 1; n < entries; n++) await cache.verify(made())
  const after = await heapUsed()
  if (cache.stats().entries !== entries) throw new Error(`${cache.stats().entries} entries are kept`)
  cache.close()
  return (after - before) / (entries - 1)
}

async function scan(ask: (token: string) => Promise<unknown>): Promise<number> {
  for (let n = 0; n < 20_000; n++) await ask(made())
  const before = await heapUsed()
  for (let n = 0; n < scanned; n++) await ask(made())
  return (await heapUsed()) - before
}

const entry = (key: string, value: Uint8Array): Entry => ({ key: `0:${key}`, version: '0'.repeat(32), value })

/** What the store has of a person's token. */
function held(key: string): Entry[] {
  const [grantId, subject, sessionId] = [id(), id(), id()]
  const base = { grantId, scope: 'openid profile read:reports', audience: ['https://reports.example'] }
  const token = { ...base, kind: TokenKind.ACCESS_TOKEN, issuedAt: Date.now(), expiresAt, revokedAt: 0 }
  const grant = { id: grantId, clientId: 'web', subject, sessionId, scope: '', createdAt: 1, revokedAt: 0 }
  return [
    { ...entry('', TokenRecord.encode(tokenRecord(token)).finish()), key },
    entry(`grant/${grantId}`, GrantRecord.encode(grantRecord(grant)).finish()),
    entry('client/web', ClientRecord.encode({ ...ClientRecord.decode(new Uint8Array()), id: 'web' }).finish()),
    entry(`subject/${subject}`, SubjectRecord.encode(SubjectRecord.decode(new Uint8Array())).finish()),
    entry(`session/${sessionId}`, SessionRecord.encode(SessionRecord.decode(new Uint8Array())).finish()),
  ]
}

function service(follow: (key: string) => Entry[] | undefined) {
  const secrets = new Secrets()
  const definition = { id: 'api', secret: { reveal: () => 'of this measurement alone' }, introspect: ['*'] }
  const clients = buildClients([definition as never], [], secrets, { accessTokenMs: 60_000, refreshTokenMs: 60_000 })
  const none = { close: async () => undefined }
  const made = createIntrospectionService({
    reader: {
      follow: async (key) => follow(key),
      get: async (keys) => keys.map(() => undefined),
      facts: async () => ({ ...head, complete: true, otherHistory: false, facts: [] }),
    },
    bus: { onAnnounced: () => none, onSurvey: () => none, survey: async () => [] },
    partitions: 1,
    maxStalenessMs: 60_000,
    cacheEntries: entries,
    replica: 'memory',
    clock,
    random: Math.random,
    format,
    scanning: quiet,
    issuer: 'https://issuer.example',
    // Opaque tokens never get to it.
    keyRing: createKeyRing({
      reader: { get: async () => [] },
      sealKeys: [sealKeyFrom(randomBytes(32))],
      now: clock.now,
    }),
    authentication: createClientAuthentication(() => clients, secrets, quiet),
    log,
  })
  const authorization = `Basic ${Buffer.from('api:of+this+measurement+alone').toString('base64')}`
  const context = { metadata: { get: () => [authorization] }, peerAddress: '', peerCertificate: undefined }
  const ask = async (token: string) =>
    made.calls.introspect({ token, tokenTypeHint: '', minRevision: '', staleness: undefined }, context)
  return { ask, stats: made.stats, close: made.close }
}

async function services(): Promise<number> {
  const { ask, stats, close } = service(held)
  await new Promise((resolve) => setTimeout(resolve, 50))
  // The record reader's own memory of grants, subjects and sessions is full before the count begins.
  for (let n = 0; n < 30_000; n++) await ask(made())
  const [before, kept] = [await heapUsed(), stats().entries]
  for (let n = kept; n < entries; n++) await ask(made())
  const after = await heapUsed()
  if (stats().entries !== entries) throw new Error(`${stats().entries} entries are kept`)
  await close()
  return (after - before) / (entries - kept)
}

async function serviceScan(): Promise<number> {
  const { ask, close } = service(() => undefined)
  await new Promise((resolve) => setTimeout(resolve, 50))
  const added = await scan(ask)
  await close()
  return added
}

const unknown: Outcome = { outcome: { $case: 'response', value: { ...inactive(), active: false } } }
function inactive() {
  const { outcome } = answerOf(false)
  return (outcome as { value: Extract<NonNullable<Outcome['outcome']>, { $case: 'response' }>['value'] }).value
}

const scanningVerifier = await verifier(() => unknown)
const figures: CacheMemoryFigures = {
  sdkPerson: await sdk(true),
  sdkMachine: await sdk(false),
  servicePerson: await services(),
  sdkScan: await scan((token) => scanningVerifier.verify(token)),
  serviceScan: await serviceScan(),
}
process.send!({ figures })
process.on('disconnect', () => process.exit())
