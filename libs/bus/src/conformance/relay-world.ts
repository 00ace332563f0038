import type { Store } from '@countersign/store'
import { createMemoryStore } from '@countersign/store/memory'
import { expect } from '@jest/globals'
import { createInProcessBus } from '../in-process.ts'
import { silentLog } from '../log.ts'
import { Pending } from '../pending.ts'
import type { Bus } from '../port.ts'
import { publishing } from '../publishing-store.ts'
import { createRelay, type Relay, type RelayOptions } from '../relay.ts'
import { commitOf } from './events.ts'
import { faulty, type Faults } from './faulty-bus.ts'
import { guarded } from './guarded-store.ts'
import { MemoryJournal } from './memory-journal.ts'

const quick = { sweepMs: 10, youngMs: 30, askMs: 500, patienceMs: 100, longestSweepMs: 100 }

export interface World {
  /** As another process sees it: what it commits is not published. */
  store: Store
  /** As this process commits. */
  committer: Store
  bus: Bus
  journal: MemoryJournal
  faults: Faults
  relay: Relay
  pending: Pending
  /** One more relay on the same store and bus, with an empty memory, as another process has. */
  anotherRelay(): Relay
}

const ends: (() => Promise<void>)[] = []
/** Ends what each test began; to be given to `afterEach`. */
export async function endWorlds(): Promise<void> {
  for (const end of ends.splice(0)) await end()
}

/** Checks at its end that no event left the outbox before it was journaled. */
export function world(options: Partial<RelayOptions> & { inner?: Store } = {}): World {
  const { inner = createMemoryStore(), partitions = 1, now = Date.now } = options
  const journal = new MemoryJournal()
  const faults: Faults = {}
  const bus = faulty(createInProcessBus(), faults)
  const { store, violations } = guarded(inner, journal)
  const newRelay = (pending: Pending) => {
    const limits = { ...quick, ...options.limits }
    const relay = createRelay({ store, bus, partitions, pending, now, log: silentLog, limits })
    ends.unshift(() => relay.stop())
    return relay
  }
  const pending = new Pending()
  const relay = newRelay(pending)
  ends.push(async () => {
    await journal.detach()
    await bus.close()
    expect(violations).toEqual([])
  })
  const committer = publishing(store, bus, pending)
  return { store, committer, bus, journal, faults, relay, pending, anotherRelay: () => newRelay(new Pending()) }
}

export const commitMany = async (store: Store, commits: number, eventsEach: number, partition = 0) => {
  for (let n = 0; n < commits; n++) await store.commit(commitOf(eventsEach, partition))
}

export const isEmpty = (store: Store, partition = 0) =>
  store
    .outbox(partition)
    .size()
    .then((size) => size === 0)
