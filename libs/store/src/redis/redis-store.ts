import { formatRevision, type FactKind, type Partition } from '@countersign/contracts'
import type { ConnectionOptions as TlsOptions } from 'node:tls'
import { formatCursor, parseCursor } from '../cursor.ts'
import { randomEpoch } from '../epoch.ts'
import { eventStart } from '../event-start.ts'
import { answerFacts } from '../fact-log.ts'
import { defaultCommandTimeoutMs, maxRemovalsPerScript } from '../limits.ts'
import type { Commit, Committed, Entry, FactLog, Key, Listing, Outbox, Page, PageRequest, Store } from '../port.ts'
import { partitionOf } from '../port.ts'
import { checkKey, checkKeys, checkOutboxLimit, checkPageLimit, checkPartition, prepareCommit } from '../validate.ts'
import { makeClient, type ClientOptions, type RedisClient } from './client.ts'
import { Commits } from './commits.ts'
import { Connection, type ConnectionOptions } from './connection.ts'
import { decodeEntry, prefixOf, redisListingOf } from './encoding.ts'
import { outboxScript, removeScript } from './outbox-scripts.ts'
import { factsScript, listScript } from './read-scripts.ts'
import { Reads } from './reads.ts'
import { inspectClient, refuseUnsafe, UnsafeStoreError, type RedisSetting } from './safety.ts'
import { run, type Argument, type Script } from './script.ts'
import { parseRedisUrl } from './url.ts'

export interface RedisStoreOptions {
  /** See {@link parseRedisUrl}. */
  url: string
  tls?: TlsOptions | undefined
  /** Milliseconds for one call, connecting and sending again included. */
  commandTimeoutMs?: number | undefined
  /** Replicas that must have a commit before it is acknowledged. */
  waitReplicas?: number | undefined
  /** Takes a Redis that may lose what it acknowledged; for development. */
  allowUnsafe?: boolean | undefined
  /** Told when the connection is made, and lost. */
  onState?: ((state: 'up' | 'down', detail: string) => void) | undefined
  randomEpoch?: () => string
}

/**
 * The store on Redis 7 or newer: standalone, behind Sentinel, or a Cluster. It connects again by itself; meanwhile calls
 * fail as `unavailable` within the command's time.
 * @throws UnsafeStoreError when the Redis would lose what it acknowledged; Failure `unavailable` when it cannot be reached.
 */
export async function openRedisStore(options: RedisStoreOptions): Promise<Store> {
  const store = new RedisStore(options)
  try {
    await store.ping()
    return store
  } catch (error) {
    const { problem } = store
    await store.close()
    throw problem instanceof UnsafeStoreError ? problem : error
  }
}

/** What a Redis is set to, against what it must be. @throws Failure `unavailable` when it cannot be reached. */
export async function inspectRedis(
  options: Pick<RedisStoreOptions, 'url' | 'tls' | 'commandTimeoutMs'>,
): Promise<RedisSetting[]> {
  const connection = connect(options, { verify: async () => undefined, onState: () => undefined })
  try {
    return await connection.use(inspectClient)
  } finally {
    await connection.close()
  }
}

/** A connection of its own, on which the client is used as it is. */
export interface RedisConnection {
  /**
   * Runs a call on a client that is connected. When its connection is lost meanwhile it runs again on the next, so it must
   * bear that. The client is good for this call alone.
   * @throws Failure `unavailable` within the command's time, `internal` when Redis answers with an error
   */
  use<T>(call: (client: RedisClient) => Promise<T>): Promise<T>
  close(): Promise<void>
}

/**
 * Connects, with the store's address, TLS and times, for what may be lost: the server's durability is not looked at.
 * @throws Failure `unavailable` when it cannot be reached.
 */
export async function connectRedis(
  options: Pick<RedisStoreOptions, 'url' | 'tls' | 'commandTimeoutMs' | 'onState'>,
): Promise<RedisConnection> {
  const connection = connect(options, { verify: async () => undefined, onState: options.onState ?? (() => undefined) })
  try {
    await connection.use(ping)
    return connection
  } catch (error) {
    await connection.close()
    throw error
  }
}

type Connecting = Pick<ConnectionOptions, 'verify' | 'onState'>

function connect(
  { url, tls, commandTimeoutMs }: Pick<RedisStoreOptions, 'url' | 'tls' | 'commandTimeoutMs'>,
  more: Connecting,
) {
  const timeoutMs = commandTimeoutMs ?? defaultCommandTimeoutMs
  const client: ClientOptions = { address: parseRedisUrl(url), tls, timeoutMs }
  return new Connection({ makeClient: () => makeClient(client), timeoutMs, ...more })
}

type OnState = ConnectionOptions['onState']

/** Tells of several connections as one: it is up while all are. */
class JointState {
  readonly #tell: OnState
  #parts = 0
  #up = 0

  constructor(tell: OnState) {
    this.#tell = tell
  }

  part(): OnState {
    this.#parts++
    let isUp = false
    return (state, detail) => {
      const wasUp = isUp
      isUp = state === 'up'
      this.#up += Number(isUp) - Number(wasUp)
      if (!isUp || this.#up === this.#parts) this.#tell(state, detail)
    }
  }
}

class RedisStore implements Store {
  readonly #reading: Connection
  readonly #committing: Connection
  readonly #reads: Reads
  readonly #commits: Commits

  constructor(options: RedisStoreOptions) {
    const { waitReplicas = 0, allowUnsafe = false, commandTimeoutMs: timeoutMs = defaultCommandTimeoutMs } = options
    const verify = (client: RedisClient) => refuseUnsafe(client, allowUnsafe)
    const state = new JointState(options.onState ?? (() => undefined))
    this.#reading = connect(options, { verify, onState: state.part() })
    // A WAIT holds up whatever comes after it on its connection; reads shall not be.
    this.#committing = waitReplicas === 0 ? this.#reading : connect(options, { verify, onState: state.part() })
    this.#reads = new Reads(this.#reading)
    const commits = { connection: this.#committing, waitReplicas, timeoutMs }
    this.#commits = new Commits({ ...commits, randomEpoch: options.randomEpoch ?? randomEpoch })
  }

  /** Why it is not connected. */
  get problem(): unknown {
    return this.#reading.problem ?? this.#committing.problem
  }

  async commit(commit: Commit): Promise<Committed | 'conflict'> {
    return this.#commits.apply(prepareCommit(commit))
  }

  async get(keys: Key[]): Promise<(Entry | undefined)[]> {
    checkKeys(keys)
    return Promise.all(keys.map(async (key) => (await this.#reads.read(key, false))?.[0]))
  }

  async follow(key: Key): Promise<Entry[] | undefined> {
    checkKey(key)
    return this.#reads.read(key, true)
  }

  async list(listing: Listing, page: PageRequest): Promise<Page> {
    checkKey(listing)
    checkPageLimit(page.limit)
    const after = parseCursor(page)
    const partition = partitionOf(listing)
    const score = after ? (after.expiresAt === Infinity ? 'inf' : String(after.expiresAt)) : ''
    const args = [redisListingOf(listing), prefixOf(partition), String(page.limit), score, after?.name ?? '']
    const [nextScore, nextName, ...rest] = (await this.#run(listScript, 1, args)) as Buffer[]
    const entries: Entry[] = []
    for (let n = 0; n < rest.length; n += 2)
      entries.push(decodeEntry(`${partition}:${rest[n]!.toString('latin1')}`, rest[n + 1]!))
    if (nextScore!.length === 0) return { entries }
    const expiresAt = nextScore!.toString('latin1') === 'inf' ? Infinity : Number(nextScore)
    return { entries, next: formatCursor({ expiresAt, name: nextName!.toString('latin1') }) }
  }

  async facts(partition: Partition, after: string | undefined, tip?: string): Promise<FactLog> {
    checkPartition(partition)
    const [, epoch = '', from = '0'] = after?.split(':') ?? []
    const prefix = prefixOf(partition)
    const position = [epoch, /^\d{1,15}$/.test(from) ? from : '0']
    const reply = await this.#run(factsScript, 2, [`${prefix}.meta`, `${prefix}.facts`, ...position])
    const [ofEpoch, sequence, headTip, facts] = reply as [Buffer, number, Buffer | null, StreamEntry[]]
    const head = { partition, epoch: ofEpoch.toString('latin1'), sequence, tip: headTip?.toString('latin1') }
    return answerFacts(head, after, tip, () =>
      facts.map(([id, [, kind, , about, , , , previousTip]]) => ({
        sequence: sequenceOf(id),
        fact: { kind: kind!.toString('latin1') as FactKind, id: about!.toString() },
        previousTip: previousTip?.toString('latin1'),
      })),
    )
  }

  outbox(partition: Partition): Outbox {
    checkPartition(partition)
    const keys = [`${prefixOf(partition)}.meta`, `${prefixOf(partition)}.outbox`]
    const ask = async (afterSequence: number, limit: number) =>
      (await this.#run(outboxScript, 2, [...keys, String(afterSequence), String(limit)])) as OutboxReply
    return {
      read: async (afterSequence, limit) => {
        checkOutboxLimit(limit)
        const [head, , entries] = await ask(afterSequence, limit)
        const epoch = head.toString('latin1')
        return entries.map(([id, [, event, , facts]]) => ({
          sequence: sequenceOf(id),
          revision: formatRevision({ partition, epoch, sequence: Number(facts) }),
          event: event!,
        }))
      },
      remove: async (journaled) => {
        for (let n = 0; n < journaled.length; n += maxRemovalsPerScript) {
          const some = journaled.slice(n, n + maxRemovalsPerScript)
          const args = some.flatMap(({ sequence, eventId }) => [String(sequence), eventStart(eventId)])
          await this.#run(removeScript, 1, [keys[1]!, ...args])
        }
      },
      size: async () => (await ask(0, 0))[1],
    }
  }

  async ping(): Promise<void> {
    await this.#reading.use(ping)
    if (this.#committing !== this.#reading) await this.#committing.use(ping)
  }

  async close(): Promise<void> {
    await Promise.all([this.#reading.close(), this.#committing.close()])
  }

  #run(script: Script, keys: number, args: Argument[]): Promise<unknown> {
    return this.#reading.use((client) => run(client, script, keys, args))
  }
}

/** The id, and fields and values one after the other. */
type StreamEntry = [Buffer, Buffer[]]
type OutboxReply = [Buffer, number, StreamEntry[]]

const sequenceOf = (id: Buffer): number => Number.parseInt(id.toString('latin1'), 10)

const ping = async (client: RedisClient): Promise<unknown> =>
  'nodes' in client ? Promise.all(client.nodes('master').map((node) => node.ping())) : client.ping()
