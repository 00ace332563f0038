import { hash } from 'node:crypto'
import { limits as accountLimits, mayHavePasskeys, passkeyIn, withoutPasskey, withPasskey } from '@countersign/accounts'
import type { HttpAnswer } from '@countersign/chassis'
import { asFailure, Failure, type Millis } from '@countersign/contracts'
import type { Passkey } from '@countersign/contracts/records'
import { labelOf, type AccountDirectory } from '../account-directory.ts'
import { limits } from '../limits.ts'
import type { Correspondence } from '../mail/correspondence.ts'
import { newPasskeyPage, passkeysPage } from '../pages/account/index.ts'
import { person as shownPerson, type Mistake } from '../pages/index.ts'
import { personAsker } from '../sign-in/identities.ts'
import { mistake } from '../sign-in/mistakes.ts'
import type { Passkeys } from '../sign-in/passkeys.ts'
import type { Handlers, Visit } from '../visit.ts'
import type { Confirmation } from './confirmation.ts'
import { actIn, done, noSuchForm, type AccountPages, type Person } from './pages.ts'

export interface PasskeySettingsOptions {
  pages: AccountPages
  directory: AccountDirectory
  confirmation: Confirmation
  passkeys: Passkeys
  correspondence: Correspondence
  now: () => Millis
}

const here = 'passkeys'

/** What stands between a challenge's ticket and when whoever asked for it was confirmed: no ticket has it. */
const mark = '.'

/** Nobody can change when they were confirmed: the form's token keeps to the ticket with it. The name of a tie is short. */
const tieOf = (ticket: string): `account ${string}` => `account ${here} ${hash('sha256', ticket, 'base64url')}`

/** WebAuthn Level 3 section 5.8.4. */
const knownTransports = ['usb', 'nfc', 'ble', 'smart-card', 'hybrid', 'internal']

/** All of it comes from the browser, and stays in the account. */
function bounded(passkey: Passkey): Passkey | undefined {
  const { id, publicKey } = passkey
  if (id.length > limits.passkeyIdCharacters || publicKey.length > limits.passkeyKeyBytes) return undefined
  return { ...passkey, transports: knownTransports.filter((each) => passkey.transports.includes(each)) }
}

/** `/account/passkeys` */
export class PasskeySettings {
  readonly #options: PasskeySettingsOptions

  constructor(options: PasskeySettingsOptions) {
    this.#options = options
  }

  handlers(): Handlers {
    return this.#options.pages.handlers(
      async (visit, person) => this.#list(visit, person),
      async (visit, person) => {
        if (visit.form.has('credential')) return this.#add(visit, person)
        switch (actIn(visit, here)) {
          case 'add':
            return this.#begin(visit, person)
          case 'remove':
            return this.#remove(visit, person)
          default:
            throw noSuchForm()
        }
      },
    )
  }

  /** @param said why it begins once more */
  async #begin(visit: Visit, person: Person, said?: Mistake): Promise<HttpAnswer> {
    const { confirmation, now } = this.#options
    const { speech } = visit.paper()
    verifyPlace(person)
    if (person.account.record.passkeys.length >= accountLimits.passkeys)
      return this.#list(visit, person, mistake(visit, 409, 'account.mistake.too_many_passkeys'))
    const name = nameIn(visit).slice(0, accountLimits.passkeyNameCharacters)
    const asked = await confirmation.ask(visit, person, here, {
      title: speech.say('passkey.add'),
      text: speech.say('account.passkeys.text'),
      button: speech.say('page.continue'),
      fields: { act: 'add', name },
      isHarmless: true,
      said,
    })
    return asked ?? this.#creation(visit, person, { name, confirmedAt: now() }, said)
  }

  #creation(visit: Visit, { account }: Person, { name, confirmedAt }: Creation, said?: Mistake): HttpAnswer {
    const { pages, passkeys } = this.#options
    const { options, ticket: sealed } = passkeys.toAdd(visit, account, labelOf(account))
    const ticket = `${sealed}${mark}${confirmedAt}`
    const csrf = visit.csrf(tieOf(ticket), 'session')
    return newPasskeyPage(pages.frame(visit, here, said), { challenge: { options, ticket }, csrf, name })
  }

  /** A confirmation is good for a time, and for one passkey: the ticket is used up before anything else is looked at. */
  async #add(visit: Visit, person: Person): Promise<HttpAnswer> {
    const carried = visit.form.get('ticket') ?? ''
    visit.verifyCsrf(tieOf(carried), 'session')
    verifyPlace(person)
    const [ticket = '', confirmedAt] = carried.split(mark)
    if (!(this.#options.now() - Number(confirmedAt) < limits.passkeyMs))
      return this.#begin(visit, person, mistake(visit, 400, 'account.mistake.too_late'))
    const name = nameIn(visit)
    const made = await this.#made(visit, ticket, name)
    if (!made) return this.#begin(visit, person, mistake(visit, 400, 'passkey.failed'))
    const most = accountLimits.passkeyNameCharacters
    if (name === '' || name.length > most) {
      const said = mistake(visit, 400, 'account.mistake.passkey_name', { most })
      return this.#creation(visit, person, { name: name.slice(0, most), confirmedAt: Number(confirmedAt) }, said)
    }
    return this.#keep(visit, person, made)
  }

  /** Undefined for what the browser cannot have got from an authenticator, for this page. */
  async #made(visit: Visit, ticket: string, name: string): Promise<Passkey | undefined> {
    try {
      return bounded(await this.#options.passkeys.verifyNew(visit, visit.form.get('credential')!, ticket, name))
    } catch (thrown) {
      if (asFailure(thrown).code === 'invalid_request') return undefined
      throw thrown
    }
  }

  async #keep(visit: Visit, person: Person, passkey: Passkey): Promise<HttpAnswer> {
    const { directory, correspondence } = this.#options
    const { account } = person
    let refused: 'too_many' | 'known' | undefined
    const changed = await directory.change(account, personAsker(visit.asker, account.record.id), (record) => {
      const next = withPasskey(record, passkey)
      refused = typeof next === 'string' ? next : undefined
      return typeof next === 'string' ? undefined : { record: next, told: { type: 'account.passkey_added' } }
    })
    if (changed) {
      correspondence.secondFactorChanged(changed, 'passkey_added', visit.paper().speech)
      return done(visit, here, 'passkey_added')
    }
    const key = refused === 'known' ? 'passkey.known' : 'account.mistake.too_many_passkeys'
    return this.#list(visit, person, mistake(visit, 409, key))
  }

  async #remove(visit: Visit, person: Person): Promise<HttpAnswer> {
    const { pages, directory, confirmation, correspondence } = this.#options
    const { account } = person
    const id = visit.form.get('id') ?? ''
    const passkey = passkeyIn(account.record, id)
    if (!passkey) return done(visit, here)
    const lastWay = () => this.#list(visit, person, mistake(visit, 409, 'account.mistake.last_way'))
    if (withoutPasskey(account.record, id) === 'last_way_to_sign_in') return lastWay()
    const { speech } = visit.paper()
    const asked = await confirmation.ask(visit, person, here, {
      title: speech.say('account.passkeys.remove_title'),
      text: speech.tell('account.passkeys.remove_text', { name: shownPerson(passkey.name) }),
      button: speech.say('account.remove'),
      isDanger: true,
      fields: { act: 'remove', id },
    })
    if (asked) return asked
    let isLast = false
    const changed = await directory.change(account, personAsker(visit.asker, account.record.id), (record) => {
      const next = withoutPasskey(record, id)
      isLast = next === 'last_way_to_sign_in'
      return typeof next === 'string' ? undefined : { record: next, told: { type: 'account.passkey_removed' } }
    })
    if (isLast) return lastWay()
    if (changed) {
      await pages.signOutOthers(visit, changed, 'passkey_removed')
      correspondence.secondFactorChanged(changed, 'passkey_removed', speech)
    }
    return done(visit, here, 'passkey_removed')
  }

  #list(visit: Visit, { account }: Person, said?: Mistake): HttpAnswer {
    const { pages, now } = this.#options
    const { passkeys } = account.record
    const mayAdd = mayHavePasskeys(account.record)
    return passkeysPage(pages.frame(visit, here, said), { passkeys, mayAdd, now: now() })
  }
}

/** A passkey on its way. */
interface Creation {
  name: string
  confirmedAt: Millis
}

const nameIn = ({ form }: Visit): string => (form.get('name') ?? '').trim()

function verifyPlace({ account }: Person): void {
  if (mayHavePasskeys(account.record)) return
  throw new Failure('access_denied', 'who signs in to this account is decided elsewhere: it can have no passkeys')
}
