import { createSecretKey, randomBytes } from 'node:crypto'
import { Passwords } from '@countersign/accounts'
import { createHttpServer, createLook, createMetrics, createThrottle } from '@countersign/chassis'
import { ActorKind } from '@countersign/contracts/events'
import { decodeEvent, Failure } from '@countersign/contracts'
import { newCommitId, type Store } from '@countersign/store'
import { createMemoryStore } from '@countersign/store/memory'
import { createLoginService, type LoginService, type LoginServiceOptions } from '../service.ts'
import type { Letter } from '../mail/letters.ts'
import type { Upstreams } from '../upstream/upstreams.ts'
import { FakeAuthorization } from './fake-authorization.ts'

export const password = 'correct horse battery'

export interface World {
  origin: string
  store: Store
  authorization: FakeAuthorization
  service: LoginService
  /** Failed with `internal` or `unavailable`. */
  logged: string[]
  letters: Letter[]
  addAccount(loginName: string, claims?: object): Promise<string>
  events(partition?: number): Promise<ReturnType<typeof decodeEvent>[]>
  close(): Promise<void>
}

function throttles(): LoginServiceOptions['throttle'] {
  const throttle = () => createThrottle({ points: 5, durationMs: 60_000 })
  return {
    signIns: throttle(),
    userCodes: throttle(),
    secondFactors: throttle(),
    departures: throttle(),
    resets: throttle(),
  }
}

const noPost = () => ({ sent: 0, failed: 0, retried: 0, waiting: 0 })

/** Nobody else signs people in. */
export const noUpstreams: Upstreams = {
  list: () => [],
  has: () => false,
  begin: () => Promise.reject(new Failure('not_found', 'no')),
  finish: () => Promise.reject(new Failure('not_found', 'no')),
  signOutUrl: async () => undefined,
  stats: () => ({}),
}

/** The login service over HTTP, on a store in memory. */
export async function openWorld(options: Partial<LoginServiceOptions> = {}): Promise<World> {
  const store = options.store ?? createMemoryStore()
  const authorization = new FakeAuthorization()
  const logged: string[] = []
  const letters: Letter[] = []
  const log = {
    error: (_fields: object, message: string) => void logged.push(message),
    warn: (_fields: object, message: string) => void logged.push(message),
  }
  const service = createLoginService({
    authorization,
    store,
    partitions: 4,
    issuer: 'http://localhost:8080',
    session: { persistent: false, idleMs: 1_800_000, absoluteMs: 43_200_000 },
    csrfKey: createSecretKey(randomBytes(32)),
    upstreams: noUpstreams,
    mayBegin: () => true,
    localProvider: 'staff',
    rules: [],
    directories: { lookUp: async () => ({ roles: [], attributes: [] }), stats: () => [] },
    post: { send: async (letter) => letters.push(letter) > 0, stats: noPost, close: async () => {} },
    passwords: { leastCharacters: 10, refused: [] },
    look: createLook({ name: 'Example' }),
    language: 'en',
    linkKey: createSecretKey(randomBytes(32)),
    ticketKeys: [createSecretKey(randomBytes(32))],
    sealKeys: [createSecretKey(randomBytes(32))],
    setupToken: 'the-setup-token',
    throttle: throttles(),
    now: Date.now,
    randomBytes,
    commitId: newCommitId,
    log,
    ...options,
  })
  const metrics = createMetrics({ name: 'login-test' })
  const server = createHttpServer({
    name: 'login',
    routes: [],
    express: service.routers,
    log,
    metrics,
    trustedProxies: ['loopback'],
  })
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 })
  const asker = { kind: ActorKind.OPERATOR, id: 'test', address: '', userAgent: '', traceparent: '' }
  return {
    origin: `http://127.0.0.1:${port}`,
    store,
    authorization,
    service,
    logged,
    letters,
    async addAccount(loginName, claims = {}) {
      const passwordHash = await new Passwords().hash(password)
      const account = await service.directory.create({ loginName, passwordHash, claims }, asker, false)
      return account!.record.id
    },
    async events(partition) {
      const partitions = partition === undefined ? [0, 1, 2, 3] : [partition]
      const entries = await Promise.all(partitions.map((each) => store.outbox(each).read(0, 100)))
      return entries.flat().map(({ event }) => decodeEvent(event))
    },
    close: () => server.close(0),
  }
}
