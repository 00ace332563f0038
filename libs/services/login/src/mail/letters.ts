import { html } from '@countersign/chassis'
import { Failure, type Millis } from '@countersign/contracts'
import type { Speech } from '../speech.ts'
import { limits } from './limits.ts'

export interface Letter {
  /** One address, without a name. */
  to: string
  subject: string
  text: string
  html: string
}

/** To whom, and about what. */
export interface Addressee {
  readonly to: string
  readonly speech: Speech
  /** What we are called. */
  readonly product: string
  /** How the person knows the account: login name, or e-mail address. */
  readonly account: string
  /** Where there is help: an https or mailto URL. */
  readonly support?: string | undefined
}

/** A link that does what only its holder may. */
export interface SecretLink {
  readonly link: string
  readonly goodForMs: number
}

/** What may happen to a second factor; `second_factor_removed` is all of it, taken away by an operator. */
export const secondFactorChanges = [
  'totp_added',
  'totp_removed',
  'recovery_codes_made',
  'recovery_code_used',
  'passkey_added',
  'passkey_removed',
  'second_factor_removed',
] as const
export type SecondFactorChange = (typeof secondFactorChanges)[number]

export interface Change {
  readonly at: Millis
  /** Where one chooses another password and signs out everywhere. */
  readonly link: string
}

/** With a link that chooses a new password. */
export const resetLetter = (addressee: Addressee, link: SecretLink): Letter => handOver(addressee, 'reset', link)

/** With a link that chooses the first password. */
export const invitationLetter = (addressee: Addressee, link: SecretLink): Letter =>
  handOver(addressee, 'invitation', link)

function handOver(addressee: Addressee, what: 'reset' | 'invitation', { link, goodForMs }: SecretLink): Letter {
  const { speech, ...values } = told(addressee)
  return write(addressee, speech.say(`mail.${what}.subject`, values), [
    speech.say(`mail.${what}.text`, values),
    new URL(link),
    speech.say('mail.link', { duration: speech.duration(goodForMs) }),
    speech.say(`mail.${what}.unasked`),
  ])
}

export const passwordChangedLetter = (addressee: Addressee, how: Change): Letter =>
  notice(addressee, 'password_changed', how)

export const secondFactorChangedLetter = (addressee: Addressee, change: SecondFactorChange, how: Change): Letter =>
  notice(addressee, change, how)

/** That an account at a provider signs in to this one. */
export const newIdentityLetter = (addressee: Addressee, provider: string, how: Change): Letter =>
  notice(addressee, 'identity_linked', how, { provider: plain(provider) })

/** That it does so no more. */
export const identityRemovedLetter = (addressee: Addressee, provider: string, how: Change): Letter =>
  notice(addressee, 'identity_unlinked', how, { provider: plain(provider) })

function notice(
  addressee: Addressee,
  change: SecondFactorChange | 'password_changed' | 'identity_linked' | 'identity_unlinked',
  { at, link }: Change,
  more: Readonly<Record<string, string>> = {},
): Letter {
  const { speech, ...names } = told(addressee)
  const values = { ...names, ...more, date: speech.date(at) }
  return write(addressee, speech.say(`mail.${change}.subject`, values), [
    speech.say(`mail.${change}.text`, values),
    speech.say('mail.unasked'),
    new URL(link),
  ])
}

/** On one line, and no longer than so. */
const plain = (text: string, characters: number = limits.nameCharacters): string =>
  text
    .replace(/[\p{C}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim()
    .slice(0, characters)

const told = ({ speech, product, account }: Addressee) => ({
  speech,
  product: plain(product),
  account: plain(account),
})

/** Links stand on lines of their own and are shown as they are, so that everybody sees where they lead. */
function write({ to, speech, product, support }: Addressee, subject: string, parts: (string | URL)[]): Letter {
  for (const part of parts) {
    if (part instanceof URL && !/^https?:$/.test(part.protocol))
      throw new Failure('internal', 'a letter links to the web')
  }
  const ending = support === undefined ? [] : [speech.say('mail.support', { support: support.replace(/^mailto:/, '') })]
  const all = [...parts, ...ending, plain(product)]
  const shown = all.map((part) =>
    part instanceof URL ? html`<p><a href="${part.href}">${part.href}</a></p>` : html`<p>${part}</p>`,
  )
  const page = html`<!doctype html>
    <html lang="${speech.language}">
      <head>
        <meta charset="utf-8" />
        <title>${subject}</title>
      </head>
      <body style="font-family: sans-serif; line-height: 1.5; max-width: 40em">
        ${shown}
      </body>
    </html> `
  const text = `${all.map((part) => (part instanceof URL ? part.href : part)).join('\n\n')}\n`
  return { to, subject: plain(subject, limits.subjectCharacters), text, html: page.toString() }
}
