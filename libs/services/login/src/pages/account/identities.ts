import { html, type HttpAnswer, type Markup } from '@countersign/chassis'
import { ties } from '../paper.ts'
import { entries, named, section } from '../pieces.ts'
import { accountPaths, actForm, framed, tiesOf, type Frame } from './frame.ts'

export interface IdentityList {
  identities: readonly { issuer: string; subject: string; label: string; provider: string; linkedAt: number }[]
  /** Where else one could sign in. */
  providers: readonly { id: string; name: string }[]
}

/** Who the person is elsewhere. */
export function identitiesPage(frame: Frame, { identities, providers }: IdentityList): HttpAnswer {
  const { speech } = frame.paper
  const list = identities.map(({ issuer, subject, label, provider, linkedAt }) => ({
    title: named(label || subject),
    lines: [named(provider), speech.say('account.identities.linked', { date: speech.date(linkedAt) })],
    action: actForm(frame, {
      act: 'remove',
      fields: { issuer, subject },
      button: speech.say('account.remove'),
      about: label || subject,
      className: 'danger small',
    }),
  }))
  return framed(frame, {
    isLeaving: true,
    body: html`${section(
      'identities',
      speech.say('account.identities.yours'),
      html`<p>${speech.say('account.identities.text')}</p>
        ${list.length > 0 ? entries(list) : html`<p>${speech.say('account.identities.none')}</p>`}`,
    )}
    ${providers.length > 0 && section('add', speech.say('account.identities.add'), addForm(frame, providers))}`,
  })
}

/** One button for each: what the answer leads to is another site. */
const addForm = (frame: Frame, providers: IdentityList['providers']): Markup =>
  html`<form class="choices" method="post" action="${frame.paper.root}${accountPaths.identities}">
    ${ties(tiesOf(frame), { act: 'add' })}
    ${providers.map(
      ({ id, name }) =>
        html`<button class="second" name="provider" value="${id}">
          <span>${frame.paper.speech.tell('account.identities.add_at', { provider: named(name) })}</span>
        </button>`,
    )}
  </form>`
