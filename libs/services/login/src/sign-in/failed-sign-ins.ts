import type { Millis } from '@countersign/contracts'
import type { Asker } from '@countersign/contracts/authorization'
import { ActorKind, Outcome } from '@countersign/contracts/events'
import { emptyCommit, type Store } from '@countersign/store'
import { eventOf } from '@countersign/tokens'
import type { Account } from '../account-directory.ts'

export interface FailedSignInsOptions {
  store: Pick<Store, 'commit'>
  now: () => Millis
  commitId: () => string
}

/** Tells the journal of sign-ins that failed. */
export class FailedSignIns {
  readonly #options: FailedSignInsOptions

  constructor(options: FailedSignInsOptions) {
    this.#options = options
  }

  /** What was typed as a name is not told: it may be a password. @param reason a word, as docs/events.md lists them */
  async tell(account: Account | undefined, reason: string, provider: string, asker: Asker): Promise<void> {
    const { store, now, commitId } = this.#options
    const id = commitId()
    const partition = account?.partition ?? 0
    const subject = account?.record.id ?? ''
    const event = eventOf(id, 0, { ...asker, kind: ActorKind.PERSON, id: subject }, now(), {
      type: 'login.failed',
      partition,
      subject,
      reason,
      outcome: Outcome.FAILURE,
      attributes: { provider },
    })
    await store.commit({ ...emptyCommit(id, partition), events: [event] })
  }
}
