import type { KeyObject } from 'node:crypto'
import { accountClaims, limits as accountLimits, mintLink } from '@countersign/accounts'
import { Failure, type Millis } from '@countersign/contracts'
import type { MakeResetLinkResponse } from '@countersign/contracts/accounts'
import type { Account } from '../account-directory.ts'
import type { Correspondence } from '../mail/correspondence.ts'
import { languageOf, speechIn, type Language, type Speech } from '../speech.ts'

export interface LinksOptions {
  correspondence: Correspondence
  linkKey: KeyObject
  issuer: string
  /** Of letters to people whose own language is not known. */
  language: Language
  /** Undefined: nobody signs in with a password here. */
  localProvider: string | undefined
  now: () => Millis
}

/** Links that choose a password, for operators to hand over or to have sent. */
export class Links {
  readonly #options: LinksOptions

  constructor(options: LinksOptions) {
    this.#options = options
  }

  /** @throws Failure `conflict` where there are no passwords; `invalid_request` when it is to be sent and cannot be */
  checkSending(send: boolean, email: string | undefined): void {
    const { localProvider, correspondence } = this.#options
    if (localProvider === undefined) {
      throw new Failure('conflict', 'nobody signs in with a password here: providers has none of kind local')
    }
    if (!send) return
    if (!correspondence.canSend) throw new Failure('invalid_request', 'nothing can be sent: mail is not configured')
    if (!email) throw new Failure('invalid_request', 'there is no address to send it to')
  }

  /** For somebody without a password it is an invitation, which waits longer. */
  give(account: Account, send: boolean): MakeResetLinkResponse {
    const { correspondence, linkKey, issuer, now } = this.#options
    const purpose = account.record.passwordHash === '' ? 'invitation' : 'reset'
    const { invitationLinkMs, resetLinkMs } = accountLimits
    const linkExpiresAt = now() + (purpose === 'invitation' ? invitationLinkMs : resetLinkMs)
    const link = `${issuer}/login/password?token=${mintLink(linkKey, purpose, account, linkExpiresAt)}`
    if (!send) return { link, linkExpiresAt }
    correspondence[purpose](account, link, this.speechOf(account))
    return { link: '', linkExpiresAt }
  }

  speechOf({ record }: Account): Speech {
    const { locale } = accountClaims(record)
    return speechIn(languageOf(locale === undefined ? [] : [locale], undefined, this.#options.language))
  }
}
