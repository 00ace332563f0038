import { decodeEvent, type Fact, type Millis, type Partition } from '@countersign/contracts'
import type { Event } from '@countersign/contracts/events'
import { newCommitId } from '../commit-id.ts'
import type { Commit, CommitId, Committed, Key, Put, Store } from '../port.ts'
import { keyOf } from '../port.ts'

/** A store under test, and what the suite must be able to do to it. */
export interface Harness {
  store: Store
  partition: Partition
  /** The clock by which entries expire. */
  now: () => Millis
  /** Lets time pass on that clock. */
  pass: (ms: Millis) => Promise<void>
  /** Closes the store and opens it again on the same data; absent where the data goes with the store. */
  reopen?: () => Promise<void>
  /** Removes all data, as a disaster would. */
  wipe: () => Promise<void>
  /** Copies all data, and gives what sets the store back to it, as a restored backup would. */
  backUp: () => Promise<() => Promise<void>>
  /** Makes the data what a version without tips would have left; absent where the data goes with the store. */
  forgetTips?: () => Promise<void>
  /** Drops the facts kept, as their age would. */
  forgetFacts: () => Promise<void>
  /** What it holds: things it could count, and bytes (0 where it cannot tell). */
  held: () => Promise<{ things: number; bytes: number }>
  close: () => Promise<void>
}

export type OpenHarness = () => Promise<Harness>

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
export const text = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : new TextDecoder().decode(value)

/** A key of the harness's partition that no other test uses. */
export const freshKey = ({ partition }: Harness, kind = 'thing'): Key => keyOf(partition, `${kind}/${newCommitId()}`)

export const commitOf = ({ partition }: Harness, parts: Partial<Commit> = {}): Commit => ({
  ...{ id: newCommitId(), partition, checks: [], puts: [], deletes: [], events: [], facts: [] },
  ...parts,
})

export const putOf = (key: Key, value = 'value', more: Partial<Put> = {}): Put => ({
  key,
  value: bytes(value),
  ...more,
})

export function eventsOf({ partition }: Pick<Harness, 'partition'>, id: CommitId, count = 1): Event[] {
  const blank = decodeEvent(new Uint8Array())
  const ids = Array.from({ length: count }, (_, n) => `${id}:${n}`)
  return ids.map((each) => ({ ...blank, id: each, type: 'token.issued', time: 1, partition, subject: 'ann' }))
}

export const tokenFact = (id: string): Fact => ({ kind: 'token', id })

/** Commits, and fails the test unless it was committed. */
export async function commit(harness: Harness, parts: Partial<Commit> = {}): Promise<Committed & { id: CommitId }> {
  const made = commitOf(harness, parts)
  const outcome = await harness.store.commit(made)
  if (outcome === 'conflict') throw new Error('the commit conflicted')
  return { ...outcome, id: made.id }
}

export const valueOf = async ({ store }: Harness, key: Key): Promise<string | undefined> =>
  text((await store.get([key]))[0]?.value)

/** Waits until something holds. @throws Error when it does not within `withinMs`. */
export async function until(holds: () => Promise<boolean> | boolean, everyMs = 25, withinMs = 25_000): Promise<void> {
  const deadline = performance.now() + withinMs
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`what was waited for did not come within ${withinMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
}
