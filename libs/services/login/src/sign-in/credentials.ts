import { digestOfLoginName, needsRehash, normalizeLoginName, type Passwords } from '@countersign/accounts'
import { networkOf } from '@countersign/chassis'
import type { Asker } from '@countersign/contracts/authorization'
import { system } from '@countersign/tokens'
import type { Account, AccountDirectory } from '../account-directory.ts'
import type { FailureThrottle } from '../ports.ts'
import { limits } from '../limits.ts'
import { Places } from '../places.ts'
import type { FailedSignIns } from './failed-sign-ins.ts'
import { longest } from './second-factor.ts'

export interface CredentialsOptions {
  directory: AccountDirectory
  passwords: Passwords
  throttle: FailureThrottle
  failed: FailedSignIns
  /** Of the provider that these accounts are. */
  provider: string
}

export type Verified = { account: Account } | { blockedSeconds: number } | 'wrong'

/** Decides who somebody is by login name and password. */
export class Credentials {
  readonly #options: CredentialsOptions
  readonly #places = new Places()

  constructor(options: CredentialsOptions) {
    this.#options = options
  }

  /**
   * Takes as long and answers alike whether the account or the password is wrong.
   * @throws Failure `too_many_requests`, `unavailable`
   */
  async verify(loginName: string, password: string, asker: Asker): Promise<Verified> {
    const name = normalizeLoginName(loginName) ?? loginName
    return this.#verify(
      digestOfLoginName(name),
      () => this.#options.directory.findByLoginName(loginName),
      password,
      asker,
    )
  }

  /** Whether it is the password of somebody who is signed in. */
  async confirm(account: Account, password: string, asker: Asker): Promise<Verified> {
    const name = normalizeLoginName(account.record.loginName) ?? account.record.id
    return this.#verify(digestOfLoginName(name), async () => account, password, asker)
  }

  /** For other ways to show who one is: seconds to wait from there, or undefined. */
  async blockedSeconds({ address }: Asker): Promise<number | undefined> {
    return this.#options.throttle.blockedSeconds(`address ${networkOf(address)}`)
  }

  async fail({ address }: Asker): Promise<void> {
    await this.#options.throttle.fail(`address ${networkOf(address)}`)
  }

  async #verify(
    nameDigest: string,
    find: () => Promise<Account | undefined>,
    password: string,
    asker: Asker,
  ): Promise<Verified> {
    const { directory, passwords, throttle, failed, provider } = this.#options
    const keys = [`account ${nameDigest}`, `address ${networkOf(asker.address)}`] as const
    const holders = [
      { key: keys[0], most: limits.hashesOfAccount },
      { key: keys[1], most: limits.hashesOfAddress },
    ]
    const blocked = async () => longest(await Promise.all(keys.map((key) => throttle.blockedSeconds(key))))
    const [blockedBefore, account] = await Promise.all([blocked(), find()])
    if (blockedBefore !== undefined) return { blockedSeconds: blockedBefore }
    const stored = account?.record.passwordHash
    const isRight = await this.#places.hold(holders, () => passwords.verify(password, stored))
    // Once more: of many guesses at once, those that others have used up the attempts of must not count.
    const blockedSince = await blocked()
    if (blockedSince !== undefined) return { blockedSeconds: blockedSince }
    if (account && isRight && account.record.disabledAt === 0) {
      if (!needsRehash(stored!)) return { account }
      const passwordHash = await passwords.hash(password)
      const changed = await directory.change(account, system, (record) => ({ record: { ...record, passwordHash } }))
      return { account: changed ?? account }
    }
    for (const key of keys) await throttle.fail(key)
    const reason = isRight ? 'account_disabled' : account ? 'wrong_password' : 'unknown_account'
    await failed.tell(account, reason, provider, asker)
    return 'wrong'
  }
}
