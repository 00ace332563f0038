import { html, type HttpAnswer } from '@countersign/chassis'
import { asTyped, field, section } from '../pieces.ts'
import { accountPaths, actForm, framed, type Frame } from './frame.ts'
import { qrCode } from './qr-code.ts'

export interface SecondFactorState {
  hasPassword: boolean
  /** Undefined: it is not set up. */
  totp: { addedAt: number; recoveryCodes: number } | undefined
}

/** What there is of a second factor, and what may be done about it. */
export function secondFactorStatePage(frame: Frame, { hasPassword, totp }: SecondFactorState): HttpAnswer {
  const { speech } = frame.paper
  const app = speech.say('account.second_factor.title')
  const begin = speech.say('account.second_factor.begin')
  if (!totp) {
    const body = hasPassword
      ? html`<p>${speech.say('account.second_factor.text')}</p>
          ${actForm(frame, { act: 'begin', button: begin })}`
      : html`<p>${speech.say('account.second_factor.no_password')}</p>`
    return framed(frame, { body: section('app', app, body) })
  }
  const remove = { act: 'remove', button: speech.say('account.remove'), about: app, className: 'danger' }
  const renew = { act: 'renew', button: speech.say('account.second_factor.renew'), className: 'second' }
  return framed(frame, {
    body: html`${section(
      'app',
      app,
      html`<p>${speech.say('account.second_factor.on', { date: speech.date(totp.addedAt) })}</p>
        ${actForm(frame, remove)}`,
    )}
    ${section(
      'codes',
      speech.say('account.second_factor.codes'),
      html`<p>${speech.say('account.second_factor.codes_text')}</p>
        <p>${speech.say('account.second_factor.left', { count: totp.recoveryCodes })}</p>
        ${actForm(frame, renew)}`,
    )}`,
  })
}

export interface NewTotp {
  /** As authenticator apps take it. */
  uri: string
  /** For whoever types it. */
  secret: string
  /** Carries the secret; nothing is kept of it. */
  ticket: string
}

/** Hands the secret over, and asks for a code that shows that it has arrived. */
export function totpSetupPage(frame: Frame, { uri, secret, ticket }: NewTotp): HttpAnswer {
  const { speech } = frame.paper
  const code = field({
    name: 'code',
    label: speech.say('field.code'),
    autocomplete: 'one-time-code',
    className: 'code',
    hint: speech.say('account.second_factor.verify'),
    isAlertAbout: frame.mistake !== undefined,
    isFocused: frame.mistake !== undefined,
    attributes: html` inputmode="numeric"${asTyped}`,
  })
  const enable = { act: 'enable', fields: { ticket }, button: speech.say('account.second_factor.enable'), body: code }
  return framed(frame, {
    title: speech.say('account.second_factor.begin'),
    body: section(
      'app',
      speech.say('account.second_factor.title'),
      html`<p>${speech.say('account.second_factor.scan')}</p>
        ${qrCode(uri, speech.say('account.second_factor.picture'))}
        <p><a href="${uri}">${speech.say('account.second_factor.open')}</a></p>
        <p>${speech.say('account.second_factor.key')}</p>
        <p class="code">${secret}</p>
        ${actForm(frame, enable)}`,
    ),
  })
}

/** The only time that anybody sees them. */
export function recoveryCodesPage(frame: Frame, codes: readonly string[]): HttpAnswer {
  const { speech, root } = frame.paper
  const title = speech.say('account.second_factor.codes')
  return framed(frame, {
    title,
    body: section(
      'codes',
      speech.say('account.second_factor.codes_new'),
      html`<p>${speech.say('account.second_factor.codes_text')}</p>
        <p><strong>${speech.say('account.second_factor.codes_once')}</strong></p>
        <pre>${codes.join('\n')}</pre>
        <a class="button" href="${root}${accountPaths.second_factor}"
          >${speech.say('account.second_factor.codes_kept')}</a
        >`,
    ),
  })
}
