import { newCommitId } from '../commit-id.ts'
import type { CommitId } from '../port.ts'
import { eventsOf, putOf, tokenFact, type Harness } from './harness.ts'

export interface Load {
  attempted: CommitId[]
  /** Those that the store acknowledged. */
  acknowledged: Set<CommitId>
  stop: () => Promise<void>
}

/** Of the entry that a commit of the load puts. */
export const keyOfCommit = ({ partition }: Pick<Harness, 'partition'>, id: CommitId) => `${partition}:load/${id}`

/** Writers that commit, each an entry, an event and a fact under the commit's id, and go on when the store fails them. */
export function startLoad(
  harness: Pick<Harness, 'store' | 'partition'>,
  writers: number,
  tell: (word: 'attempted' | 'acknowledged', id: CommitId) => void = () => undefined,
): Load {
  const load = { attempted: [] as CommitId[], acknowledged: new Set<CommitId>() }
  let isStopped = false
  const write = async () => {
    while (!isStopped) {
      const id = newCommitId()
      load.attempted.push(id)
      tell('attempted', id)
      const key = keyOfCommit(harness, id)
      const writes = { puts: [putOf(key, id)], deletes: [], events: eventsOf(harness, id), facts: [tokenFact(id)] }
      const commit = { id, partition: harness.partition, checks: [{ key, version: null }], ...writes }
      const outcome = await harness.store.commit(commit).catch(() => undefined)
      if (outcome === 'conflict') throw new Error('a commit of a key of its own conflicted')
      if (outcome) {
        load.acknowledged.add(id)
        tell('acknowledged', id)
      } else await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
  const writing = Promise.all(Array.from({ length: writers }, write))
  return Object.assign(load, {
    stop: async () => {
      isStopped = true
      await writing
    },
  })
}
