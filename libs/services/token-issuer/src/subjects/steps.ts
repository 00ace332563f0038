import type { Partition } from '@countersign/contracts'
import type { Commit, Committed, Entry, Key, Listing, Store } from '@countersign/store'
import { beginCommit, type Deciding } from '@countersign/tokens'
import { decideAndCommit } from '../decide.ts'
import { limits } from '../limits.ts'

/** What is in a listing, page by page, within bounds. */
export async function* entriesOf(
  store: Pick<Store, 'list'>,
  listing: Listing,
  { most, perPage }: { most: number; perPage: number },
): AsyncGenerator<Entry> {
  let looked = 0
  let after: string | undefined
  do {
    const page = await store.list(listing, { limit: perPage, ...(after !== undefined && { after }) })
    yield* page.entries
    looked += page.entries.length
    after = page.next
  } while (after !== undefined && looked < most)
}

/** What is in a listing, page by page, to its end. */
export async function* pagesOf(
  store: Pick<Store, 'list'>,
  listing: Listing,
  perPage: number,
): AsyncGenerator<readonly Entry[]> {
  let after: string | undefined
  do {
    const page = await store.list(listing, { limit: perPage, ...(after !== undefined && { after }) })
    yield page.entries
    after = page.next
  } while (after !== undefined)
}

/** As many at once as one commit ends. */
export function* inSteps<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let from = 0; from < all.length; from += limits.endedAtOnce) yield all.slice(from, from + limits.endedAtOnce)
}

/** The entries of any number of keys; absent ones are left out. */
export async function readMany(store: Pick<Store, 'get'>, keys: readonly Key[]): Promise<Map<Key, Entry>> {
  const found = new Map<Key, Entry>()
  const { perPage } = limits.logoutGrants
  for (let from = 0; from < keys.length; from += perPage) {
    for (const entry of await store.get(keys.slice(from, from + perPage))) if (entry) found.set(entry.key, entry)
  }
  return found
}

/** What one step of many adds to its commit for an entry: checks with it, or nothing. */
export type Change = (commit: Commit, entry: Entry, by: Deciding) => void

/**
 * Changes any number of entries of a partition, as many in one commit as there is room for.
 * @param by its commit id is not used: each step has its own
 * @param complete called for a commit that has something in it, before it is made
 * @returns the last commit; undefined when there was nothing to change
 */
export async function changeInSteps(
  { store, commitId }: { store: Store; commitId: () => string },
  partition: Partition,
  keys: readonly Key[],
  by: Deciding,
  change: Change,
  complete?: (commit: Commit, by: Deciding) => void,
): Promise<Committed | undefined> {
  let last: Committed | undefined
  for (const some of inSteps(keys)) {
    const changed = await decideAndCommit(store, async () => {
      const deciding = { ...by, commitId: commitId() }
      const commit = beginCommit(deciding, partition)
      for (const entry of await store.get([...some])) if (entry) change(commit, entry, deciding)
      if (commit.checks.length === 0) return undefined
      complete?.(commit, deciding)
      return { commit }
    })
    last = changed?.committed ?? last
  }
  return last
}
