import { storeConformance } from '../conformance/suite.ts'
import type { Harness } from '../conformance/harness.ts'
import { newCommitId } from '../commit-id.ts'
import { factsKeptMs } from '../limits.ts'
import { createMemoryStore } from './memory-store.ts'

storeConformance('the store in memory', async () => {
  let time = 1_700_000_000_000
  const now = () => time
  const pass = async (ms: number) => void (time += ms)
  let store = createMemoryStore({ now })
  const harness: Harness = {
    store,
    partition: 0,
    now,
    pass,
    backUp: async () => {
      const snapshot = store.snapshot()
      return async () => store.restore(snapshot)
    },
    wipe: async () => void (harness.store = store = createMemoryStore({ now })),
    forgetFacts: async () => {
      await pass(factsKeptMs)
      await store.commit({ ...nothing, id: newCommitId() })
    },
    held: async () => ({ things: store.held(), bytes: 0 }),
    close: async () => store.close(),
  }
  return harness
})

const nothing = { partition: 0, checks: [], puts: [], deletes: [], events: [], facts: [] }
