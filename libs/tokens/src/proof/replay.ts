import { hash } from 'node:crypto'
import type { Millis } from '@countersign/contracts'
import { keyOf, type CommitId, type Store } from '@countersign/store'
import { limits } from '../limits.ts'

/** What may be used once: a client's assertion, a DPoP proof, a request object, a person's way back from a provider. */
export type UsedKind = 'assertion' | 'dpop' | 'request' | 'ticket'

/** Remembers what was used, for all replicas. */
export interface ReplayGuard {
  /**
   * True for the first who uses this id, among all who share the store; false for every other.
   * @param id any text; whoever made it is part of it, as ids of two makers may be alike
   * @param expiresAt the last moment at which it would be taken
   * @throws Failure `unavailable` when the store cannot tell
   */
  once(kind: UsedKind, id: string, expiresAt: Millis): Promise<boolean>
}

export interface ReplayGuardOptions {
  readonly store: Pick<Store, 'commit'>
  readonly partitions: number
  /** A fresh one at each call. */
  readonly commitId: () => CommitId
  readonly now: () => Millis
}

const used = new Uint8Array([1])

export function createReplayGuard({ store, partitions, commitId, now }: ReplayGuardOptions): ReplayGuard {
  return {
    async once(kind, id, expiresAt) {
      const digest = hash('sha256', id, 'buffer')
      const partition = digest.readUInt32BE() % partitions
      const key = keyOf(partition, `used/${kind}/${digest.toString('base64url')}`)
      const committed = await store.commit({
        id: commitId(),
        partition,
        checks: [{ key, version: null }],
        puts: [{ key, value: used, expiresAt: Math.max(expiresAt, now()) + limits.replayMarginMs }],
        deletes: [],
        events: [],
        facts: [],
      })
      // A commit that its store repeated on its own is still the first use.
      return committed !== 'conflict'
    },
  }
}
