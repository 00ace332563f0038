import type { KeyObject } from 'node:crypto'
import { useRecoveryCode, verifyTotp } from '@countersign/accounts'
import { networkOf } from '@countersign/chassis'
import { Failure, type Millis } from '@countersign/contracts'
import type { AccountRecord, Totp } from '@countersign/contracts/records'
import { seal, system, unseal } from '@countersign/tokens'
import type { Account, AccountDirectory } from '../account-directory.ts'
import { limits } from '../limits.ts'
import type { Correspondence } from '../mail/correspondence.ts'
import { Places } from '../places.ts'
import type { FailureThrottle } from '../ports.ts'
import type { Visit } from '../visit.ts'
import type { FailedSignIns } from './failed-sign-ins.ts'

export interface SecondFactorOptions {
  directory: AccountDirectory
  /** Seals the secrets that codes are made from; the current one first. */
  sealKeys: readonly KeyObject[]
  /** Of wrong codes, by account. */
  throttle: FailureThrottle
  failed: FailedSignIns
  correspondence: Correspondence
  now: () => Millis
}

/** Somebody whose password was right, until the second factor is. */
interface Halfway {
  partition: number
  id: string
  amr: string[]
}

export type Passed = { account: Account; amr: string[] } | { blockedSeconds: number } | 'wrong' | 'over'

const contextOf = (accountId: string): string => `totp ${accountId}`

/** The second factor: a code by time (RFC 6238), or one of the recovery codes. */
export class SecondFactor {
  readonly #options: SecondFactorOptions
  readonly #places = new Places()

  constructor(options: SecondFactorOptions) {
    this.#options = options
  }

  isNeeded({ record }: Account): boolean {
    return record.totp !== undefined
  }

  /** A ticket for somebody who has shown the first factor. */
  begin(visit: Visit, { partition, record }: Account, amr: readonly string[]): string {
    const halfway: Halfway = { partition, id: record.id, amr: [...amr] }
    return visit.ticket('second-factor', halfway, limits.secondFactorMs)
  }

  /** For a new second factor. */
  sealSecret(accountId: string, secret: Uint8Array): Buffer {
    return seal(this.#options.sealKeys[0]!, secret, contextOf(accountId))
  }

  /**
   * Whether a code is right. Each is good once, also where two come at the same moment.
   * @returns `over` when the ticket is, and the person has to start with the first factor
   */
  async pass(visit: Visit, ticket: string, typed: string): Promise<Passed> {
    const { directory, throttle } = this.#options
    const halfway = visit.opened<Halfway>('second-factor', ticket)?.content
    if (!halfway) return 'over'
    const keys = [`account ${halfway.id}`, `address ${networkOf(visit.asker.address)}`]
    const blocked = async () => longest(await Promise.all(keys.map((key) => throttle.blockedSeconds(key))))
    const [account, blockedSeconds] = await Promise.all([directory.read(halfway.partition, halfway.id), blocked()])
    if (!account || account.record.disabledAt !== 0) return 'over'
    if (blockedSeconds !== undefined) return { blockedSeconds }
    const passed = await this.#places.hold([{ key: account.record.id, most: limits.codesAtOnce }], () =>
      this.#use(account, typed),
    )
    // Once more: of many guesses at once, those that others have used up the attempts of must not count.
    const blockedSince = await blocked()
    if (blockedSince !== undefined) return { blockedSeconds: blockedSince }
    if (passed && passed.record.totp!.recoveryDigests.length < account.record.totp!.recoveryDigests.length) {
      this.#options.correspondence.secondFactorChanged(passed, 'recovery_code_used', visit.paper().speech)
    }
    if (passed) return { account: passed, amr: [...halfway.amr, 'otp', 'mfa'] }
    for (const key of keys) await throttle.fail(key)
    await this.#options.failed.tell(account, 'wrong_second_factor', 'local', visit.asker)
    return 'wrong'
  }

  /** Undefined for a wrong code, and for one that was used already. */
  #use(account: Account, typed: string): Promise<Account | undefined> {
    return this.#options.directory.change(account, system, (record) => {
      const totp = record.totp && this.#used(record, record.totp, typed)
      return totp && { record: { ...record, totp } }
    })
  }

  #used(record: AccountRecord, totp: Totp, typed: string): Totp | undefined {
    const secret = unseal(this.#options.sealKeys, totp.sealedSecret, contextOf(record.id))
    if (!secret) throw new Failure('internal', 'a second factor cannot be opened: the master key was changed')
    const usedStep = verifyTotp(secret, typed, totp.usedStep, this.#options.now())
    if (usedStep !== undefined) return { ...totp, usedStep }
    const recoveryDigests = useRecoveryCode(totp.recoveryDigests, typed)
    return recoveryDigests && { ...totp, recoveryDigests: [...recoveryDigests] }
  }
}

export const longest = (waits: readonly (number | undefined)[]): number | undefined =>
  waits.reduce((most, wait) => (wait !== undefined && !(wait < (most ?? 0)) ? wait : most), undefined)
