import { formatRevision, type Millis, type Partition } from '@countersign/contracts'
import { formatCursor, parseCursor, type Place } from '../cursor.ts'
import { randomEpoch } from '../epoch.ts'
import { eventStart } from '../event-start.ts'
import { tipOf } from '../commit-id.ts'
import { answerFacts, type KeptFact } from '../fact-log.ts'
import { appliedIdsKeptMs, clearedPerCommit, factsKeptMs, maxFactsKept } from '../limits.ts'
import type {
  Bytes,
  Commit,
  CommitId,
  Committed,
  Entry,
  Key,
  Listing,
  Outbox,
  OutboxEntry,
  Put,
  Store,
} from '../port.ts'
import { unavailable } from '../unavailable.ts'
import { checkKey, checkKeys, checkOutboxLimit, checkPageLimit, checkPartition, prepareCommit } from '../validate.ts'
import type { PreparedCommit } from '../validate.ts'

export interface MemoryStoreOptions {
  now?: () => Millis
  randomEpoch?: () => string
}

interface Row {
  version: CommitId
  value: Bytes
  /** Infinity: kept for ever. */
  expiresAt: Millis
  links: Key[]
  listings: Set<Listing>
}

interface PartitionState {
  epoch: string
  factSequence: number
  tip: string
  facts: (KeptFact & { at: Millis })[]
  outboxSequence: number
  outbox: Map<number, OutboxEntry>
}

/** All that is in it. Rows, facts and outbox entries are never changed, only replaced. */
interface Contents {
  rows: Map<Key, Row>
  listings: Map<Listing, Set<Key>>
  partitions: Map<Partition, PartitionState>
  applied: Map<CommitId, Millis>
}

/**
 * The reference: the port's semantics in one process's memory, gone with it. For tests and simulations.
 * Time and the epoch's randomness are arguments.
 */
export const createMemoryStore = (options: MemoryStoreOptions = {}): MemoryStore => new MemoryStore(options)

export class MemoryStore implements Store {
  readonly #now: () => Millis
  readonly #randomEpoch: () => string
  #held: Contents = { rows: new Map(), listings: new Map(), partitions: new Map(), applied: new Map() }
  #sweep = this.#held.rows.entries()
  #closed = false

  constructor(options: MemoryStoreOptions) {
    this.#now = options.now ?? Date.now
    this.#randomEpoch = options.randomEpoch ?? randomEpoch
  }

  async commit(commit: Commit): Promise<Committed | 'conflict'> {
    this.#checkOpen()
    const prepared = prepareCommit(commit)
    const { id, partition } = prepared
    const at = this.#now()
    this.#clear(at, clearedPerCommit + 4 * prepared.puts.length)
    if (this.#held.applied.has(id)) return { ...this.#committed(partition, '', undefined), repeated: true }
    const held = prepared.checks.every(({ key, version }) => (this.#living(key, at)?.version ?? null) === version)
    return held ? this.#apply(prepared, at) : 'conflict'
  }

  #apply({ id, partition, puts, deletes, facts, encodedEvents }: PreparedCommit, at: Millis): Committed {
    const state = this.#stateOf(partition)
    for (const put of puts) this.#put(put, id, at)
    for (const key of deletes) this.#drop(key)
    const previousTip = state.tip
    for (const fact of facts) {
      state.facts.push({ sequence: ++state.factSequence, fact: { ...fact }, previousTip: state.tip, at })
      state.tip = tipOf(previousTip, id)
    }
    const young = state.facts.findIndex((logged) => at - logged.at < factsKeptMs)
    state.facts.splice(0, Math.max(young === -1 ? state.facts.length : young, state.facts.length - maxFactsKept))
    const revision = formatRevision({ partition, epoch: state.epoch, sequence: state.factSequence })
    const firstSequence = state.outboxSequence + 1
    for (const event of encodedEvents) {
      const sequence = ++state.outboxSequence
      state.outbox.set(sequence, { sequence, revision, event })
    }
    this.#held.applied.set(id, at)
    return this.#committed(partition, previousTip, encodedEvents.length === 0 ? undefined : firstSequence)
  }

  #put({ key, value, expiresAt = Infinity, links = [], listedIn = [] }: Put, version: CommitId, at: Millis): void {
    const before = this.#living(key, at)
    const listings = new Set([...(before?.listings ?? []), ...listedIn])
    this.#held.rows.set(key, { version, value: new Uint8Array(value), expiresAt, links: [...links], listings })
    for (const listing of listings) {
      const keys = this.#held.listings.get(listing)
      if (keys) keys.add(key)
      else this.#held.listings.set(listing, new Set([key]))
    }
  }

  async get(keys: Key[]): Promise<(Entry | undefined)[]> {
    this.#checkOpen()
    checkKeys(keys)
    const at = this.#now()
    return keys.map((key) => this.#entry(key, at))
  }

  async follow(key: Key): Promise<Entry[] | undefined> {
    this.#checkOpen()
    checkKey(key)
    const at = this.#now()
    const row = this.#living(key, at)
    return row && [key, ...row.links].flatMap((each) => this.#entry(each, at) ?? [])
  }

  async list(listing: Listing, page: Parameters<Store['list']>[1]) {
    this.#checkOpen()
    checkKey(listing)
    checkPageLimit(page.limit)
    const after = parseCursor(page)
    const at = this.#now()
    const places: (Place & { key: Key })[] = []
    for (const key of this.#held.listings.get(listing) ?? []) {
      const row = this.#living(key, at)
      if (row) places.push({ key, name: nameOf(key), expiresAt: row.expiresAt })
    }
    const rest = places.filter((place) => !after || inOrder(after, place) < 0).sort(inOrder)
    const shown = rest.slice(0, page.limit)
    const entries = shown.map(({ key }) => this.#entry(key, at)!)
    return rest.length > shown.length ? { entries, next: formatCursor(shown.at(-1)!) } : { entries }
  }

  async facts(partition: Partition, after: string | undefined, tip?: string) {
    this.#checkOpen()
    checkPartition(partition)
    const { epoch, factSequence: sequence, tip: headTip, facts } = this.#held.partitions.get(partition) ?? nothing()
    return answerFacts({ partition, epoch, sequence, tip: headTip }, after, tip, (from, last) =>
      facts
        .filter((logged) => logged.sequence > from && logged.sequence <= last)
        .map((logged) => ({ ...logged, fact: { ...logged.fact } })),
    )
  }

  outbox(partition: Partition): Outbox {
    checkPartition(partition)
    const entries = () => {
      this.#checkOpen()
      return (this.#held.partitions.get(partition) ?? nothing()).outbox
    }
    return {
      read: async (afterSequence, limit) => {
        checkOutboxLimit(limit)
        const later = [...entries().values()].filter(({ sequence }) => sequence > afterSequence)
        return later.slice(0, limit).map((entry) => ({ ...entry }))
      },
      remove: async (journaled) => {
        for (const { sequence, eventId } of journaled) {
          const start = eventStart(eventId)
          const event = entries().get(sequence)?.event
          if (event && Buffer.compare(event.subarray(0, start.length), start) === 0) entries().delete(sequence)
        }
      },
      size: async () => entries().size,
    }
  }

  /** All that it holds, as it is now; for {@link restore}. */
  snapshot(): unknown {
    return copyOf(this.#held)
  }

  /** Sets it back, as a restored backup would: everything since the snapshot is gone, and the epoch is the same. */
  restore(snapshot: unknown): void {
    this.#held = copyOf(snapshot as Contents)
    this.#sweep = this.#held.rows.entries()
  }

  /** How many rows, members and ids it holds. */
  held(): number {
    const members = [...this.#held.listings.values()].reduce((sum, keys) => sum + keys.size, 0)
    return this.#held.rows.size + members + this.#held.applied.size
  }

  async ping(): Promise<void> {
    this.#checkOpen()
  }

  async close(): Promise<void> {
    this.#closed = true
  }

  #checkOpen(): void {
    if (this.#closed) throw unavailable('it is closed')
  }

  #stateOf(partition: Partition): PartitionState {
    const found = this.#held.partitions.get(partition)
    if (found) return found
    const made = { ...nothing(), epoch: this.#randomEpoch() }
    this.#held.partitions.set(partition, made)
    return made
  }

  #committed(partition: Partition, previousTip: string, firstSequence: number | undefined): Committed {
    const { epoch, factSequence, outbox } = this.#stateOf(partition)
    const revision = formatRevision({ partition, epoch, sequence: factSequence })
    return { revision, previousTip, repeated: false, firstSequence, backlogEvents: outbox.size }
  }

  #entry(key: Key, at: Millis): Entry | undefined {
    const row = this.#living(key, at)
    return row && { key, version: row.version, value: row.value.slice() }
  }

  #living(key: Key, at: Millis): Row | undefined {
    const row = this.#held.rows.get(key)
    if (!row || row.expiresAt > at) return row
    this.#drop(key)
    return undefined
  }

  #drop(key: Key): void {
    for (const listing of this.#held.rows.get(key)?.listings ?? []) {
      const keys = this.#held.listings.get(listing)!
      keys.delete(key)
      if (keys.size === 0) this.#held.listings.delete(listing)
    }
    this.#held.rows.delete(key)
  }

  /** A bounded look at the next few rows and at the oldest ids, at every commit: no timer, and memory stays flat. */
  #clear(at: Millis, rows: number): void {
    for (let looked = 0; looked < rows; looked++) {
      const { value, done } = this.#sweep.next()
      if (done) {
        this.#sweep = this.#held.rows.entries()
        break
      }
      if (value[1].expiresAt <= at) this.#drop(value[0])
    }
    for (const [id, appliedAt] of this.#held.applied) {
      if (at - appliedAt < appliedIdsKeptMs) break
      this.#held.applied.delete(id)
    }
  }
}

const nothing = (): PartitionState => ({
  ...{ epoch: '', factSequence: 0, tip: '', facts: [] },
  ...{ outboxSequence: 0, outbox: new Map() },
})

const copyOf = ({ rows, listings, partitions, applied }: Contents): Contents => ({
  rows: new Map(rows),
  listings: new Map([...listings].map(([listing, keys]) => [listing, new Set(keys)])),
  partitions: new Map(
    [...partitions].map(([partition, state]) => [
      partition,
      { ...state, facts: [...state.facts], outbox: new Map(state.outbox) },
    ]),
  ),
  applied: new Map(applied),
})

const nameOf = (key: Key): string => key.slice(key.indexOf(':') + 1)

const inOrder = (a: Place, b: Place): number =>
  a.expiresAt === b.expiresAt ? (a.name < b.name ? -1 : a.name > b.name ? 1 : 0) : a.expiresAt < b.expiresAt ? -1 : 1
