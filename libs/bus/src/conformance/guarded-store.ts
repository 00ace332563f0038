import type { Partition } from '@countersign/contracts'
import type { Outbox, Store } from '@countersign/store'
import type { MemoryJournal } from './memory-journal.ts'

/** A store that notes every outbox entry taken away before the journal had its event: there must be none. */
export function guarded(store: Store, journal: MemoryJournal): { store: Store; violations: string[] } {
  const violations: string[] = []
  const outbox = (partition: Partition): Outbox => {
    const inner = store.outbox(partition)
    return {
      read: (after, limit) => inner.read(after, limit),
      size: () => inner.size(),
      remove: async (journaled) => {
        for (const { sequence, eventId } of journaled)
          if (!journal.held.has(eventId)) violations.push(`${partition}:${sequence} ${eventId}`)
        await inner.remove(journaled)
      },
    }
  }
  return { store: delegating(store, { outbox }), violations }
}

/** The same store, but for what is given. */
export const delegating = (store: Store, changes: Partial<Store>): Store => ({
  commit: (commit) => store.commit(commit),
  get: (keys) => store.get(keys),
  follow: (key) => store.follow(key),
  list: (listing, page) => store.list(listing, page),
  facts: (partition, after, tip) => store.facts(partition, after, tip),
  outbox: (partition) => store.outbox(partition),
  ping: () => store.ping(),
  close: () => store.close(),
  ...changes,
})
