import { networkOf } from '@countersign/chassis'
import { digestOfLoginName, normalizeLoginName, type Passwords } from '@countersign/accounts'
import type { Millis } from '@countersign/contracts'
import type { Asker } from '@countersign/contracts/authorization'
import { ActorKind, Outcome } from '@countersign/contracts/events'
import type { Store } from '@countersign/store'
import { eventOf } from '@countersign/tokens'
import type { Account, AccountDirectory } from './account-directory.ts'
import type { FailureThrottle } from './ports.ts'

export interface CredentialsOptions {
  store: Store
  directory: AccountDirectory
  passwords: Passwords
  throttle: FailureThrottle
  now: () => Millis
  commitId: () => string
}

export type Verified = { account: Account } | { blockedSeconds: number } | 'wrong'

/** Decides who somebody is by login name and password. */
export class Credentials {
  readonly #options: CredentialsOptions

  constructor(options: CredentialsOptions) {
    this.#options = options
  }

  /**
   * Takes as long and answers alike whether the account or the password is wrong.
   * @throws Failure `too_many_requests`, `unavailable`
   */
  async verify(loginName: string, password: string, asker: Asker): Promise<Verified> {
    const { directory, passwords, throttle } = this.#options
    const name = normalizeLoginName(loginName) ?? loginName
    const keys = [`account ${digestOfLoginName(name)}`, `address ${networkOf(asker.address)}`]
    const blockedBefore = await this.#blockedSeconds(keys)
    if (blockedBefore !== undefined) return { blockedSeconds: blockedBefore }
    const account = await directory.findByLoginName(loginName)
    const isRight = await passwords.verify(password, account?.record.passwordHash)
    // Once more: of many guesses at once, those that others have used up the attempts of must not count.
    const blockedSince = await this.#blockedSeconds(keys)
    if (blockedSince !== undefined) return { blockedSeconds: blockedSince }
    if (account && isRight && account.record.disabledAt === 0) return { account }
    for (const key of keys) await throttle.fail(key)
    await this.#tellFailure(
      account,
      isRight ? 'account_disabled' : account ? 'wrong_password' : 'unknown_account',
      asker,
    )
    return 'wrong'
  }

  async #blockedSeconds(keys: readonly string[]): Promise<number | undefined> {
    const waits = await Promise.all(keys.map((key) => this.#options.throttle.blockedSeconds(key)))
    return waits.reduce((longest, wait) => (wait !== undefined && !(wait < (longest ?? 0)) ? wait : longest), undefined)
  }

  /** What was typed as a name is not told: it may be a password. */
  async #tellFailure(account: Account | undefined, reason: string, asker: Asker): Promise<void> {
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
      attributes: { provider: 'local' },
    })
    await store.commit({ id, partition, checks: [], puts: [], deletes: [], events: [event], facts: [] })
  }
}
