import { html, type HttpAnswer, type Markup } from '@countersign/chassis'
import { entries, named, section } from '../pieces.ts'
import { actForm, framed, type Frame } from './frame.ts'

export interface ShownSession {
  id: string
  isCurrent: boolean
  /** As far as the browser tells. */
  browser: string
  system: string
  address: string
  /** Whoever signed the person in, if that was not done here. */
  provider: string | undefined
  startedAt: number
  usedAt: number
}

/** Where the person is signed in. */
export function sessionsPage(
  frame: Frame,
  { sessions, now }: { sessions: readonly ShownSession[]; now: number },
): HttpAnswer {
  const { speech } = frame.paper
  const list = sessions.map((session) => {
    const { id, isCurrent, address, provider, startedAt, usedAt } = session
    const lines = [
      address !== '' && speech.tell('account.sessions.address', { address: named(address) }),
      provider !== undefined && speech.tell('account.sessions.with', { provider: named(provider) }),
      speech.say('account.sessions.since', { date: speech.date(startedAt) }),
      speech.say('account.last_used', { ago: speech.ago(usedAt, now) }),
    ]
    const leave = { act: 'end', fields: { id }, button: speech.say('sign_out.leave'), className: 'second small' }
    return {
      title: deviceOf(frame, session),
      ...(isCurrent && { tag: speech.say('account.sessions.here') }),
      lines: lines.filter((line) => line !== false),
      ...(!isCurrent && {
        action: actForm(frame, {
          ...leave,
          about: [session.browser, session.system, address].filter(Boolean).join(', '),
        }),
      }),
    }
  })
  const others = { act: 'others', button: speech.say('account.sessions.others'), className: 'second' }
  const everywhere = { act: 'everywhere', button: speech.say('signed_in.everywhere'), className: 'danger' }
  return framed(frame, {
    body: html`${section(
      'sessions',
      speech.say('account.sessions.yours'),
      html`<p>${speech.say('account.sessions.text')}</p>
        ${entries(list)} ${sessions.length > 1 && actForm(frame, others)}`,
    )}
    ${section(
      'everywhere',
      speech.say('signed_in.everywhere'),
      html`<p>${speech.say('signed_in.everywhere_hint')}</p>
        ${actForm(frame, everywhere)}`,
    )}`,
  })
}

function deviceOf({ paper: { speech } }: Frame, { browser, system }: ShownSession): Markup {
  if (browser === '' || system === '') return named(browser || system || speech.say('account.sessions.unknown'))
  return speech.tell('account.sessions.device', { browser: named(browser), system: named(system) })
}
