/** What every store must do, as tests: each adapter's own test file runs them on it. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { chainTests, rollbackTests } from './chain.ts'
import { churnTests } from './churn.ts'
import { commitTests } from './commits.ts'
import { failure } from './failure.ts'
import { commit, freshKey, putOf, type Harness, type OpenHarness } from './harness.ts'
import { listingTests } from './listings.ts'
import { historyTests, logTests } from './logs.ts'
import { readTests } from './reads.ts'
import { refusalTests } from './refusals.ts'

/** All of the port, on a store that may be wiped. */
export function storeConformance(name: string, open: OpenHarness): void {
  describe(name, () => {
    coreTests(open)
    describe('history', () => historyTests(using(open)))
    describe('set back', () => rollbackTests(using(open)))
    churnTests(using(open))
    describe('closed', () => closingTests(using(open)))
  })
}

/** What does not need a server of one's own; for each further way of running the same adapter. */
export function storeConformanceCore(name: string, open: OpenHarness): void {
  describe(name, () => coreTests(open))
}

function coreTests(open: OpenHarness): void {
  const at = using(open)
  commitTests(at)
  refusalTests(at)
  readTests(at)
  listingTests(at)
  logTests(at)
  chainTests(at)
}

function closingTests(at: () => Harness): void {
  test('it answers nothing, and says so', async () => {
    const key = freshKey(at())
    await commit(at(), { puts: [putOf(key)] })
    await at().store.ping()
    await at().store.close()
    await at().store.close()
    const { store } = at()
    const calls = [commit(at()), store.get([key]), store.follow(key), store.list(key, { limit: 1 }), store.ping()]
    const settled = await Promise.allSettled([...calls, store.facts(0, undefined), store.outbox(0).size()])
    expect(settled).toEqual(settled.map(() => ({ status: 'rejected', reason: failure('unavailable') })))
  })
}

/** One harness for a group of tests. */
function using(open: OpenHarness): () => Harness {
  let harness: Harness | undefined
  beforeAll(async () => {
    harness = await open()
  })
  afterAll(async () => harness?.close())
  return () => {
    if (!harness) throw new Error('the store is not open')
    return harness
  }
}
