import { hash, type KeyObject } from 'node:crypto'
import {
  accountClaims,
  digestOfLoginName,
  isLinkGood,
  limits as accountLimits,
  mintLink,
  normalizeLoginName,
  readLink,
  type LinkPurpose,
  type PasswordPolicy,
  type Passwords,
} from '@countersign/accounts'
import { networkOf, type Form, type HttpAnswer } from '@countersign/chassis'
import { Failure, type AuthorizationCalls, type Millis } from '@countersign/contracts'
import { SubjectChange } from '@countersign/contracts/authorization'
import type { Account, AccountDirectory } from '../account-directory.ts'
import type { Correspondence } from '../mail/correspondence.ts'
import { choosePasswordPage, resetRequestPage, resetSentPage, type FieldMistakes } from '../pages/index.ts'
import type { FailureThrottle } from '../ports.ts'
import type { Handlers, Visit } from '../visit.ts'
import type { SignIn } from './handlers.ts'
import { personAsker } from './identities.ts'
import { tooMany } from './mistakes.ts'
import { passwordMistakes } from './password-fields.ts'
import { longest } from './second-factor.ts'

export interface ChoosePasswordOptions {
  authorization: AuthorizationCalls
  directory: AccountDirectory
  passwords: Passwords
  policy: PasswordPolicy
  correspondence: Correspondence
  /** Makes links that choose a password. */
  linkKey: KeyObject
  issuer: string
  /** Of links that are asked for, by account and by address. */
  throttle: FailureThrottle
  signIn: SignIn
  now: () => Millis
}

/** A password is chosen by a link that came by mail, or that an operator handed over. */
export class ChoosePassword {
  readonly #options: ChoosePasswordOptions

  constructor(options: ChoosePasswordOptions) {
    this.#options = options
  }

  /** `/login/reset`: asks for a link. */
  request(): Handlers {
    const { correspondence } = this.#options
    return {
      GET: async (visit) => {
        if (correspondence.canSend) return resetRequestPage(visit.paper(), formOf(visit))
        throw new Failure('not_found', 'no mail is sent from here; ask whoever manages your account for a new password')
      },
      POST: (visit) => this.#request(visit),
    }
  }

  /** `/login/password`: where the links lead. */
  choice(): Handlers {
    return {
      GET: async (visit) => {
        const chosen = await this.#admit(visit.query)
        return this.#page(visit, chosen, {})
      },
      POST: async (visit) => {
        const chosen = await this.#admit(visit.form)
        visit.verifyCsrf(tieOf(chosen.token))
        const mistakes = await passwordMistakes(visit, this.#options.policy, ownerOf(chosen.account))
        return Object.keys(mistakes).length > 0 ? this.#page(visit, chosen, mistakes) : this.#choose(visit, chosen)
      },
    }
  }

  /** Alike and in the same time whether there is such an account: what is sent, is sent later. */
  async #request(visit: Visit): Promise<HttpAnswer> {
    visit.verifyCsrf('sign-in')
    const { throttle, directory } = this.#options
    const loginName = visit.form.get('login_name') ?? ''
    const named = digestOfLoginName(normalizeLoginName(loginName) ?? loginName)
    const keys = [`account ${named}`, `address ${networkOf(visit.asker.address)}`]
    const blocked = longest(await Promise.all(keys.map((key) => throttle.blockedSeconds(key))))
    if (blocked !== undefined) {
      return resetRequestPage(visit.paper(), {
        ...formOf(visit),
        loginName,
        mistake: tooMany(visit, 'mistake.too_many_requests', blocked),
      })
    }
    for (const key of keys) await throttle.fail(key)
    const account = await directory.findByLoginName(loginName)
    if (account) this.#send(visit, account)
    return resetSentPage(visit.paper(), { purpose: undefined, validForMs: accountLimits.resetLinkMs })
  }

  #send(visit: Visit, account: Account): void {
    const { correspondence, linkKey, issuer, now } = this.#options
    const { email } = accountClaims(account.record)
    if (email === undefined || account.record.disabledAt !== 0) return
    const token = mintLink(linkKey, 'reset', account, now() + accountLimits.resetLinkMs)
    correspondence.reset(account, `${issuer}/login/password?token=${token}`, visit.paper().speech)
  }

  async #choose(visit: Visit, { purpose, token, account }: Chosen): Promise<HttpAnswer> {
    const { directory, passwords, correspondence, linkKey, signIn, now } = this.#options
    const passwordHash = await passwords.hash(visit.form.get('password')!)
    // Before the link is used up, and once more after: whatever fails, nobody goes on with what the old password had begun.
    if (purpose === 'reset') await this.#signOut(visit, account)
    const asker = personAsker(visit.asker, account.record.id)
    const changed = await directory.change(account, asker, (record) =>
      isLinkGood(linkKey, token, { ...account, record }, now())
        ? {
            record: { ...record, passwordHash, passwordChangedAt: now() },
            told: { type: 'account.password_changed', reason: purpose },
          }
        : undefined,
    )
    if (!changed) throw gone()
    if (purpose === 'reset') {
      await this.#signOut(visit, account)
      correspondence.passwordChanged(changed, visit.paper().speech)
    }
    return signIn.admit(visit, undefined, changed, ['pwd'])
  }

  async #signOut(visit: Visit, { partition, record }: Account): Promise<void> {
    const change = SubjectChange.SIGN_OUT
    const wanted = { partition, subject: record.id, change, roles: [], reason: 'password_reset', except: undefined }
    await this.#options.authorization.changeSubject({ ...wanted, asker: visit.asker })
  }

  async #admit(form: Form): Promise<Chosen> {
    const { directory, linkKey, now } = this.#options
    const token = form.get('token') ?? ''
    const link = readLink(token)
    const account = link && (await directory.read(link.partition, link.accountId))
    if (!link || !account || !isLinkGood(linkKey, token, account, now())) throw gone()
    return { purpose: link.purpose, token, account }
  }

  #page(visit: Visit, { purpose, token, account }: Chosen, mistakes: FieldMistakes): HttpAnswer {
    return choosePasswordPage(visit.paper(), {
      reason: purpose,
      ties: { purpose: undefined, csrf: visit.csrf(tieOf(token)) },
      token,
      loginName: account.record.loginName,
      leastCharacters: this.#options.policy.leastCharacters,
      mistakes,
    })
  }
}

/** A link that is good, and whose it is. */
interface Chosen {
  purpose: LinkPurpose
  token: string
  account: Account
}

const formOf = (visit: Visit) => ({ ties: { purpose: undefined, csrf: visit.csrf('sign-in') } })

const gone = () => new Failure('not_found', 'this link does not work, or not any more; ask for another one')

/** A form keeps to its link; the name of a tie is short. */
const tieOf = (token: string): `password ${string}` => `password ${hash('sha256', token, 'base64url')}`

function ownerOf({ record }: Account) {
  const { name, email } = accountClaims(record)
  return { loginName: record.loginName, name, email }
}
