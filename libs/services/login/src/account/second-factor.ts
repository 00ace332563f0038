import {
  newRecoveryCodes,
  newTotpSecret,
  recoveryDigest,
  recoveryRandomBytes,
  totpText,
  totpUri,
  verifyTotp,
} from '@countersign/accounts'
import type { HttpAnswer } from '@countersign/chassis'
import type { Millis } from '@countersign/contracts'
import type { Totp } from '@countersign/contracts/records'
import { labelOf, type AccountChange, type AccountDirectory } from '../account-directory.ts'
import { limits } from '../limits.ts'
import type { Correspondence } from '../mail/correspondence.ts'
import type { SecondFactorChange } from '../mail/letters.ts'
import { recoveryCodesPage, secondFactorStatePage, totpSetupPage } from '../pages/account/index.ts'
import type { Mistake } from '../pages/index.ts'
import { personAsker } from '../sign-in/identities.ts'
import { mistake } from '../sign-in/mistakes.ts'
import type { SecondFactor } from '../sign-in/second-factor.ts'
import type { Handlers, Visit } from '../visit.ts'
import type { Confirmation } from './confirmation.ts'
import { actIn, done, noSuchForm, type AccountPages, type Person } from './pages.ts'

export interface SecondFactorSettingsOptions {
  pages: AccountPages
  directory: AccountDirectory
  confirmation: Confirmation
  secondFactor: SecondFactor
  correspondence: Correspondence
  /** What authenticator apps show an account under. */
  serverName: () => string
  now: () => Millis
  randomBytes: (bytes: number) => Uint8Array
}

/** A secret on its way into somebody's app. */
interface Handover {
  account: string
  session: string
  /** base64url */
  secret: string
}

const here = 'second_factor'

/** `/account/second-factor`: codes by time, and the recovery codes that stand in for them. */
export class SecondFactorSettings {
  readonly #options: SecondFactorSettingsOptions

  constructor(options: SecondFactorSettingsOptions) {
    this.#options = options
  }

  handlers(): Handlers {
    return this.#options.pages.handlers(
      async (visit, person) => this.#state(visit, person),
      async (visit, person) => {
        switch (actIn(visit, here)) {
          case 'begin':
            return this.#begin(visit, person)
          case 'enable':
            return this.#enable(visit, person)
          case 'renew':
            return this.#renew(visit, person)
          case 'remove':
            return this.#remove(visit, person)
          default:
            throw noSuchForm()
        }
      },
    )
  }

  /** Nothing is kept of the secret until a code shows that it has arrived. */
  async #begin(visit: Visit, person: Person, said?: Mistake): Promise<HttpAnswer> {
    const { confirmation, randomBytes } = this.#options
    if (person.account.record.totp || !confirmation.hasPassword(person)) return done(visit, here)
    const { speech } = visit.paper()
    const asked = await confirmation.ask(visit, person, here, {
      title: speech.say('account.second_factor.begin'),
      text: speech.say('account.second_factor.text'),
      button: speech.say('page.continue'),
      fields: { act: 'begin' },
      said,
    })
    if (asked) return asked
    const secret = newTotpSecret(randomBytes)
    const text = Buffer.from(secret).toString('base64url')
    const handover: Handover = { account: person.account.record.id, session: person.session.id, secret: text }
    return this.#handOver(visit, person, secret, visit.ticket('totp', handover, limits.totpSetupMs))
  }

  /** @param ticket good for as long as it takes since the person was confirmed, however often the page is shown */
  #handOver(visit: Visit, { account }: Person, secret: Uint8Array, ticket: string, said?: Mistake): HttpAnswer {
    const { pages, serverName } = this.#options
    return totpSetupPage(pages.frame(visit, here, said), {
      uri: totpUri(labelOf(account), serverName(), secret),
      secret: totpText(secret),
      ticket,
    })
  }

  async #enable(visit: Visit, person: Person): Promise<HttpAnswer> {
    const { secondFactor, now } = this.#options
    const { form } = visit
    const { id } = person.account.record
    const ticket = form.get('ticket') ?? ''
    const handover = visit.opened<Handover>('totp', ticket)?.content
    if (!handover || handover.account !== id || handover.session !== person.session.id)
      return this.#begin(visit, person, mistake(visit, 400, 'account.mistake.too_late'))
    const secret = Buffer.from(handover.secret, 'base64url')
    const usedStep = verifyTotp(secret, form.get('code') ?? '', 0, now())
    if (usedStep === undefined)
      return this.#handOver(visit, person, secret, ticket, mistake(visit, 401, 'account.mistake.code'))
    const codes = this.#newCodes()
    const totp: Totp = {
      sealedSecret: secondFactor.sealSecret(id, secret),
      addedAt: now(),
      usedStep,
      recoveryDigests: codes.map(recoveryDigest),
    }
    const told = { type: 'account.second_factor_added' } as const
    const isAdded = await this.#change(visit, person, 'totp_added', told, (held) => (held ? undefined : { totp }))
    return isAdded ? this.#showCodes(visit, codes) : this.#changedMeanwhile(visit, person)
  }

  async #renew(visit: Visit, person: Person): Promise<HttpAnswer> {
    const { confirmation } = this.#options
    if (!person.account.record.totp) return done(visit, here)
    const { speech } = visit.paper()
    const asked = await confirmation.ask(visit, person, here, {
      title: speech.say('account.second_factor.renew_title'),
      text: speech.say('account.second_factor.renew_text'),
      button: speech.say('account.second_factor.renew'),
      fields: { act: 'renew' },
    })
    if (asked) return asked
    const codes = this.#newCodes()
    const recoveryDigests = codes.map(recoveryDigest)
    const told = { type: 'account.second_factor_added', reason: 'recovery_codes' } as const
    const isRenewed = await this.#change(
      visit,
      person,
      'recovery_codes_made',
      told,
      (held) => held && { totp: { ...held, recoveryDigests } },
    )
    return isRenewed ? this.#showCodes(visit, codes) : this.#changedMeanwhile(visit, person)
  }

  async #remove(visit: Visit, person: Person): Promise<HttpAnswer> {
    const { confirmation } = this.#options
    if (!person.account.record.totp) return done(visit, here)
    const { speech } = visit.paper()
    const asked = await confirmation.ask(visit, person, here, {
      title: speech.say('account.second_factor.remove_title'),
      text: speech.say('account.second_factor.remove_text'),
      button: speech.say('account.remove'),
      isDanger: true,
      fields: { act: 'remove' },
    })
    if (asked) return asked
    const told = { type: 'account.second_factor_removed' } as const
    await this.#change(visit, person, 'totp_removed', told, (held) => held && { totp: undefined })
    return done(visit, here, 'second_factor_removed')
  }

  #newCodes(): string[] {
    return newRecoveryCodes(this.#options.randomBytes(recoveryRandomBytes))
  }

  /** @param decide gives undefined where there is nothing to change */
  async #change(
    visit: Visit,
    { account }: Person,
    letter: SecondFactorChange,
    told: NonNullable<AccountChange['told']>,
    decide: (held: Totp | undefined) => { totp: Totp | undefined } | undefined,
  ): Promise<boolean> {
    const { directory, correspondence } = this.#options
    const changed = await directory.change(account, personAsker(visit.asker, account.record.id), (record) => {
      const next = decide(record.totp)
      return next && { record: { ...record, ...next }, told }
    })
    if (changed) correspondence.secondFactorChanged(changed, letter, visit.paper().speech)
    return changed !== undefined
  }

  #showCodes(visit: Visit, codes: readonly string[]): HttpAnswer {
    return recoveryCodesPage(this.#options.pages.frame(visit, here), codes)
  }

  #changedMeanwhile(visit: Visit, person: Person): HttpAnswer {
    return this.#state(visit, person, mistake(visit, 409, 'error.conflict_text'))
  }

  #state(visit: Visit, person: Person, said?: Mistake): HttpAnswer {
    const { pages, confirmation } = this.#options
    const { totp } = person.account.record
    return secondFactorStatePage(pages.frame(visit, here, said), {
      hasPassword: confirmation.hasPassword(person),
      totp: totp && { addedAt: totp.addedAt, recoveryCodes: totp.recoveryDigests.length },
    })
  }
}
