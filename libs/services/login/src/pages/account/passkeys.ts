import { limits as accountLimits } from '@countersign/accounts'
import { html, type HttpAnswer, type Markup } from '@countersign/chassis'
import { passkeyCreation, passkeyScript, type PasskeyChallenge } from '../passkey.ts'
import { entries, named, section } from '../pieces.ts'
import { accountPaths, actForm, framed, type Frame } from './frame.ts'

export interface PasskeyList {
  passkeys: readonly { id: string; name: string; addedAt: number; usedAt: number }[]
  mayAdd: boolean
  now: number
}

/** The passkeys of an account. */
export function passkeysPage(frame: Frame, { passkeys, mayAdd, now }: PasskeyList): HttpAnswer {
  const { speech } = frame.paper
  const list = passkeys.map(({ id, name, addedAt, usedAt }) => ({
    title: named(name),
    lines: [
      speech.say('account.passkeys.added', { date: speech.date(addedAt) }),
      speech.say('account.last_used', { ago: speech.ago(usedAt, now) }),
    ],
    action: actForm(frame, {
      act: 'remove',
      fields: { id },
      button: speech.say('account.remove'),
      about: name,
      className: 'danger small',
    }),
  }))
  const shown: Markup = list.length > 0 ? entries(list) : html`<p>${speech.say('account.passkeys.none')}</p>`
  return framed(frame, {
    body: html`${section('passkeys', speech.say('account.passkeys.yours'), shown)}
    ${section(
      'add',
      speech.say('passkey.add'),
      mayAdd
        ? html`<p>${speech.say('account.passkeys.text')}</p>
            ${actForm(frame, { act: 'add', button: speech.say('passkey.add') })}`
        : html`<p>${speech.say('account.passkeys.elsewhere')}</p>`,
    )}`,
  })
}

export interface NewPasskey {
  challenge: PasskeyChallenge
  /** Of this challenge alone. */
  csrf: string
  /** As the person typed it, when the page is shown again. */
  name: string
}

/** The browser makes a passkey. */
export function newPasskeyPage(frame: Frame, { challenge, csrf, name }: NewPasskey): HttpAnswer {
  const { paper } = frame
  const carried = { purpose: undefined, csrf }
  const form = { action: accountPaths.passkeys, name, most: accountLimits.passkeyNameCharacters }
  return framed(frame, {
    title: paper.speech.say('passkey.add'),
    script: passkeyScript,
    body: section(
      'add',
      paper.speech.say('account.passkeys.new'),
      html`<p>${paper.speech.say('account.passkeys.text')}</p>
        ${passkeyCreation(paper, carried, challenge, form)}`,
    ),
  })
}
