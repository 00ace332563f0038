import { describe, expect, test } from '@jest/globals'
import { newCommitId } from '../commit-id.ts'
import { commit, eventsOf, freshKey, putOf, tokenFact, until, type Harness } from './harness.ts'

const putsPerCommit = 100
const commitsPerRound = 70
const livesMs = 1_000

/** 7,000 short-lived entries in a listing, half of them deleted before their time, with events journaled and facts. */
async function churn(harness: Harness): Promise<void> {
  const listing = freshKey(harness, 'list')
  for (let n = 0; n < commitsPerRound; n++) {
    const keys = Array.from({ length: putsPerCommit }, () => freshKey(harness))
    const more = { expiresAt: harness.now() + livesMs, listedIn: [listing] }
    const id = newCommitId()
    const puts = keys.map((key) => putOf(key, 'x'.repeat(200), more))
    const { firstSequence } = await commit(harness, { id, puts, events: eventsOf(harness, id), facts: [tokenFact(id)] })
    await commit(harness, { deletes: keys.slice(putsPerCommit / 2) })
    await harness.store.outbox(harness.partition).remove([{ sequence: firstSequence!, eventId: `${id}:0` }])
  }
  await harness.pass(livesMs)
}

/** Commits as any day’s traffic does, until what it holds is no more than `things`. */
async function settle(harness: Harness, things: number): Promise<void> {
  await until(async () => {
    for (let n = 0; n < 20; n++) await commit(harness, { puts: [putOf(`${harness.partition}:churn/traffic`)] })
    await harness.forgetFacts()
    return (await harness.held()).things <= things
  })
}

export function churnTests(at: () => Harness): void {
  describe('under churn', () => {
    test('what it holds returns to where it was, round after round', async () => {
      const mostThings = (await at().held()).things + 20
      const rounds: number[] = []
      for (let round = 0; round < 3; round++) {
        await churn(at())
        await settle(at(), mostThings)
        rounds.push((await at().held()).bytes)
      }
      const [first, , last] = rounds
      expect(last).toBeLessThanOrEqual(first! * 1.05 + 400_000)
    }, 120_000)
  })
}
