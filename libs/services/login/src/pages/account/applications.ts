import { html, type HttpAnswer } from '@countersign/chassis'
import type { ApplicationInformation } from '@countersign/contracts/authorization'
import { scopeText } from '../consent.ts'
import { entries, named, section } from '../pieces.ts'
import { actForm, framed, type Frame } from './frame.ts'

/** What applications may do in the person's name. */
export function applicationsPage(frame: Frame, applications: readonly ApplicationInformation[]): HttpAnswer {
  const { speech } = frame.paper
  const list = applications.flatMap(({ client, scopes, givenAt, grantedAt }) => {
    if (!client) return []
    const name = client.name || client.id
    const may = scopes.map((scope) => scopeText(speech, scope)).join(' · ')
    const lines = [
      client.registeredItself && speech.say('consent.registered_itself'),
      may !== '' && speech.tell('account.applications.may', { scopes: named(may) }),
      givenAt !== 0 && speech.say('account.applications.given', { date: speech.date(givenAt) }),
      grantedAt !== 0 && speech.say('account.applications.granted', { date: speech.date(grantedAt) }),
    ]
    const withdraw = {
      act: 'withdraw',
      fields: { client: client.id },
      button: speech.say('account.applications.withdraw'),
    }
    return [
      {
        title: named(name),
        lines: lines.filter((line) => line !== false),
        action: actForm(frame, { ...withdraw, about: name, className: 'danger small' }),
      },
    ]
  })
  return framed(frame, {
    body: section(
      'applications',
      speech.say('account.applications.yours'),
      html`<p>${speech.say('account.applications.text')}</p>
        ${list.length > 0 ? entries(list) : html`<p>${speech.say('account.applications.none')}</p>`}`,
    ),
  })
}
