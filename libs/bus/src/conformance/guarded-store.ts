import { decodeEvent, type Partition } from '@countersign/contracts'
import type { Outbox, Store } from '@countersign/store'
import type { MemoryJournal } from './memory-journal.ts'

/** A store that notes every outbox entry taken away before the journal had its event: there must be none. */
export function guarded(store: Store, journal: MemoryJournal): { store: Store; violations: string[] } {
  const violations: string[] = []
  const outbox = (partition: Partition): Outbox => {
    const inner = store.outbox(partition)
    const check = async (sequences: number[]) => {
      const asked = new Set(sequences)
      const last = Math.max(...sequences)
      for (let after = Math.min(...sequences) - 1; after < last;) {
        const entries = await inner.read(after, 1_000)
        for (const { sequence, event } of entries) {
          if (!asked.has(sequence)) continue
          const { id } = decodeEvent(event)
          if (!journal.held.has(id)) violations.push(`${partition}:${sequence} ${id}`)
        }
        after = entries.at(-1)?.sequence ?? last
      }
    }
    return {
      read: (after, limit) => inner.read(after, limit),
      size: () => inner.size(),
      remove: async (sequences) => {
        await check(sequences)
        await inner.remove(sequences)
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
  facts: (partition, after) => store.facts(partition, after),
  outbox: (partition) => store.outbox(partition),
  ping: () => store.ping(),
  close: () => store.close(),
  ...changes,
})
