import { accountClaims, type PasswordPolicy, type Passwords } from '@countersign/accounts'
import type { HttpAnswer } from '@countersign/chassis'
import type { Millis } from '@countersign/contracts'
import type { Account, AccountDirectory } from '../account-directory.ts'
import type { Correspondence } from '../mail/correspondence.ts'
import { passwordPage } from '../pages/account/index.ts'
import type { FieldMistakes, Mistake } from '../pages/index.ts'
import type { Credentials } from '../sign-in/credentials.ts'
import { personAsker } from '../sign-in/identities.ts'
import { mistake, tooMany } from '../sign-in/mistakes.ts'
import { passwordMistakes } from '../sign-in/password-fields.ts'
import type { Handlers, Visit } from '../visit.ts'
import { tooManyAtOnce, type Confirmation } from './confirmation.ts'
import { actIn, done, noSuchForm, type AccountPages, type Person } from './pages.ts'

export interface PasswordChangeOptions {
  pages: AccountPages
  directory: AccountDirectory
  confirmation: Confirmation
  credentials: Credentials
  passwords: Passwords
  policy: PasswordPolicy
  correspondence: Correspondence
  now: () => Millis
}

/** What is wrong: of the whole form, or of its fields. */
interface Wrong {
  said?: Mistake
  mistakes?: FieldMistakes
}

/** `/account/password`: whoever knows the password chooses another one. */
export class PasswordChange {
  readonly #options: PasswordChangeOptions

  constructor(options: PasswordChangeOptions) {
    this.#options = options
  }

  handlers(): Handlers {
    return this.#options.pages.handlers(
      async (visit, person) => this.#page(visit, person),
      async (visit, person) => {
        if (actIn(visit, 'password') !== 'change') throw noSuchForm()
        const { confirmation } = this.#options
        if (!confirmation.hasPassword(person)) return this.#page(visit, person)
        const answer = await confirmation.alone(person, () => this.#change(visit, person))
        return answer ?? this.#page(visit, person, { said: tooManyAtOnce(visit) })
      },
    )
  }

  /** What the new one is worth takes long to tell: first it is certain that it is them. */
  async #change(visit: Visit, person: Person): Promise<HttpAnswer> {
    const { credentials, policy } = this.#options
    const verified = await credentials.confirm(person.account, visit.form.get('current_password') ?? '', visit.asker)
    if (verified === 'wrong') {
      const said = mistake(visit, 401, 'page.look_again')
      const { speech } = visit.paper()
      return this.#page(visit, person, { said, mistakes: { current_password: speech.say('account.mistake.password') } })
    }
    if ('blockedSeconds' in verified)
      return this.#page(visit, person, { said: tooMany(visit, 'mistake.too_many_attempts', verified.blockedSeconds) })
    const { loginName } = person.account.record
    const { name, email } = accountClaims(person.account.record)
    const mistakes = await passwordMistakes(visit, policy, { loginName, name, email })
    if (Object.keys(mistakes).length > 0) return this.#page(visit, person, { mistakes })
    return this.#replace(visit, person, verified.account)
  }

  async #replace(visit: Visit, person: Person, verified: Account): Promise<HttpAnswer> {
    const { pages, directory, passwords, correspondence, now } = this.#options
    const { id } = verified.record
    const { passwordHash: confirmed } = verified.record
    const passwordHash = await passwords.hash(visit.form.get('password')!)
    const changed = await directory.change(verified, personAsker(visit.asker, id), (record) =>
      record.passwordHash === confirmed
        ? {
            record: { ...record, passwordHash, passwordChangedAt: now() },
            told: { type: 'account.password_changed' },
          }
        : undefined,
    )
    if (!changed) return this.#page(visit, person, { said: mistake(visit, 409, 'error.conflict_text') })
    await pages.signOutOthers(visit, changed, 'password_changed')
    correspondence.passwordChanged(changed, visit.paper().speech)
    return done(visit, 'password', 'password_changed')
  }

  #page(visit: Visit, person: Person, { said, mistakes = {} }: Wrong = {}): HttpAnswer {
    const { pages, confirmation, policy } = this.#options
    const { loginName, passwordChangedAt } = person.account.record
    const isWrong = Object.keys(mistakes).length > 0
    const shown = said ?? (isWrong ? mistake(visit, 400, 'page.look_again') : undefined)
    return passwordPage(pages.frame(visit, 'password', shown), {
      loginName,
      hasPassword: confirmation.hasPassword(person),
      changedAt: passwordChangedAt,
      leastCharacters: policy.leastCharacters,
      mistakes,
    })
  }
}
