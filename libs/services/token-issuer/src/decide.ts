import { Failure } from '@countersign/contracts'
import type { Commit, Committed, Store } from '@countersign/store'
import { limits } from './limits.ts'

/**
 * Read, decide, commit: made anew when what was read has changed meanwhile.
 * @param decide reads and decides; `again` is true when the attempt before conflicted
 * @returns what was decided and where it was committed; undefined when there was nothing to commit
 * @throws Failure `conflict` when others were faster every time
 */
export async function decideAndCommit<Decision extends { commit: Commit }>(
  store: Pick<Store, 'commit'>,
  decide: (again: boolean) => Decision | undefined | Promise<Decision | undefined>,
): Promise<(Decision & { committed: Committed }) | undefined> {
  for (let attempt = 0; attempt < limits.attempts; attempt++) {
    const decision = await decide(attempt > 0)
    if (!decision) return undefined
    const committed = await store.commit(decision.commit)
    if (committed !== 'conflict') return { ...decision, committed }
  }
  throw new Failure('conflict', 'this was being changed by others; try again', { retryAfterSeconds: 1 })
}
