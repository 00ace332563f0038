import { hash, timingSafeEqual } from 'node:crypto'
import { limits as accountLimits, normalizeLoginName, passwordMistake, type Passwords } from '@countersign/accounts'
import { Failure } from '@countersign/contracts'
import { ActorKind } from '@countersign/contracts/events'
import type { Form } from '@countersign/chassis'
import type { AccountDirectory } from './account-directory.ts'
import { setupPage, type SetupFields } from './setup-page.ts'
import type { Steps } from './steps.ts'
import type { Handlers } from './visit.ts'

export interface SetupOptions {
  /** Of the link; undefined: there is no setting up. */
  setupToken: string | undefined
  directory: AccountDirectory
  passwords: Passwords
  steps: Steps
}

const emailSyntax = /^[^\s@]+@[^\s@]+$/

const fieldsIn = (form: Form): SetupFields => ({
  loginName: form.get('login_name')?.trim() ?? '',
  name: form.get('name')?.trim() ?? '',
  email: form.get('email')?.trim() ?? '',
})

function mistakesIn({ loginName, name, email }: SetupFields, password: string, repeated: string): string[] {
  const most = accountLimits.claimCharacters
  const unfit = passwordMistake(password, loginName)
  return [
    ...(normalizeLoginName(loginName) === undefined
      ? ['Choose another login name: this one is empty or too long.']
      : []),
    ...(name.length > most ? ['The name is too long.'] : []),
    ...(email !== '' && (email.length > most || !emailSyntax.test(email)) ? ['The e-mail address is not one.'] : []),
    ...(unfit === undefined ? [] : [unfit]),
    ...(password === repeated ? [] : ['The two passwords are not the same.']),
  ]
}

/** `/setup`: a one-time link that makes the first account. */
export function setupHandlers({ setupToken, directory, passwords, steps }: SetupOptions): Handlers {
  const digest = (token: string) => hash('sha256', token, 'buffer')
  const expected = setupToken === undefined ? undefined : digest(setupToken)
  const gone = () => new Failure('not_found', 'this link does not work, or not any more: the first account is there')

  async function admit(form: Form): Promise<string> {
    const token = form.get('token') ?? ''
    if (!expected || !timingSafeEqual(digest(token), expected)) throw gone()
    if (await directory.hasAny()) throw gone()
    return token
  }

  return {
    async GET(visit) {
      const token = await admit(visit.query)
      return setupPage({ csrf: visit.csrf('setup'), token }, { loginName: '', name: '', email: '' })
    },
    async POST(visit) {
      visit.verifyCsrf('setup')
      const { form, asker } = visit
      const token = await admit(form)
      const fields = fieldsIn(form)
      const password = form.get('password') ?? ''
      const mistakes = mistakesIn(fields, password, form.get('password_again') ?? '')
      if (mistakes.length > 0) return setupPage({ csrf: visit.csrf('setup'), token }, fields, mistakes)
      const { loginName, name, email } = fields
      const claims = { ...(name && { name }), ...(email && { email, email_verified: false }) }
      const draft = { loginName, passwordHash: await passwords.hash(password), claims }
      const account = await directory.create(draft, { ...asker, kind: ActorKind.PERSON, id: '' }, true)
      if (!account) throw gone()
      return steps.signIn(visit, undefined, account)
    },
  }
}
