import { hash, timingSafeEqual } from 'node:crypto'
import { limits as accountLimits, normalizeLoginName, type PasswordPolicy, type Passwords } from '@countersign/accounts'
import type { Form } from '@countersign/chassis'
import { Failure } from '@countersign/contracts'
import { ActorKind } from '@countersign/contracts/events'
import type { AccountDirectory } from '../account-directory.ts'
import { setupPage, type FieldMistakes, type SetupFields } from '../pages/index.ts'
import type { Handlers, Visit } from '../visit.ts'
import type { SignIn } from './handlers.ts'
import { passwordMistakes } from './password-fields.ts'

export interface SetupOptions {
  /** Of the link; undefined: there is no setting up. */
  setupToken: string | undefined
  directory: AccountDirectory
  passwords: Passwords
  policy: PasswordPolicy
  signIn: SignIn
}

const emailSyntax = /^[^\s@]+@[^\s@]+$/

const fieldsIn = (form: Form): SetupFields => ({
  loginName: form.get('login_name')?.trim() ?? '',
  name: form.get('name')?.trim() ?? '',
  email: form.get('email')?.trim() ?? '',
})

async function mistakesIn(visit: Visit, fields: SetupFields, policy: PasswordPolicy): Promise<FieldMistakes> {
  const { loginName, name, email } = fields
  const { speech } = visit.paper()
  const most = accountLimits.claimCharacters
  return {
    ...(normalizeLoginName(loginName) === undefined && { login_name: speech.say('mistake.login_name') }),
    ...(name.length > most && { name: speech.say('mistake.name') }),
    ...(email !== '' && (email.length > most || !emailSyntax.test(email)) && { email: speech.say('mistake.email') }),
    ...(await passwordMistakes(visit, policy, fields)),
  }
}

/** `/setup`: a one-time link that makes the first account. */
export function setupHandlers({ setupToken, directory, passwords, policy, signIn }: SetupOptions): Handlers {
  const digest = (token: string) => hash('sha256', token, 'buffer')
  const expected = setupToken === undefined ? undefined : digest(setupToken)
  const gone = () => new Failure('not_found', 'this link does not work, or not any more: the first account is there')

  async function admit(form: Form): Promise<string> {
    const token = form.get('token') ?? ''
    if (!expected || !timingSafeEqual(digest(token), expected)) throw gone()
    if (await directory.hasAny()) throw gone()
    return token
  }

  const page = (visit: Visit, token: string, fields: SetupFields, mistakes: FieldMistakes) =>
    setupPage(visit.paper(), {
      ties: { purpose: undefined, csrf: visit.csrf('setup') },
      token,
      fields,
      mistakes,
      leastCharacters: policy.leastCharacters,
    })

  return {
    async GET(visit) {
      return page(visit, await admit(visit.query), { loginName: '', name: '', email: '' }, {})
    },
    async POST(visit) {
      visit.verifyCsrf('setup')
      const { form, asker } = visit
      const token = await admit(form)
      const fields = fieldsIn(form)
      const mistakes = await mistakesIn(visit, fields, policy)
      if (Object.keys(mistakes).length > 0) return page(visit, token, fields, mistakes)
      const { loginName, name, email } = fields
      const claims = { ...(name && { name }), ...(email && { email, email_verified: false }) }
      const draft = { loginName, passwordHash: await passwords.hash(form.get('password')!), claims }
      const { address, userAgent, traceparent } = asker
      const person = { kind: ActorKind.PERSON, id: '', address, userAgent, traceparent }
      const account = await directory.create(draft, person, true)
      if (!account) throw gone()
      return signIn.arrive(visit, undefined, account, ['pwd'])
    },
  }
}
