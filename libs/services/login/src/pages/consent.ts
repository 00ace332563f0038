import { html, type HttpAnswer, type Markup } from '@countersign/chassis'
import { ClientInformation, type ConsentPage, type ScopeInformation } from '@countersign/contracts/authorization'
import { shownUserCode } from '../errand.ts'
import type { Speech, WordKey } from '../speech.ts'
import { hidden, isWebAddress, page, paths, ties, type Paper, type Ties } from './paper.ts'
import { named, person } from './pieces.ts'

/** What comes before a scope's name in the name of its form field. */
export const scopePrefix = 'scope:'

/** Scopes that everybody has. */
const scopeWords: ReadonlyMap<string, WordKey> = new Map([
  ['openid', 'scope.openid'],
  ['profile', 'scope.profile'],
  ['email', 'scope.email'],
  ['address', 'scope.address'],
  ['phone', 'scope.phone'],
  ['roles', 'scope.roles'],
  ['offline_access', 'scope.offline_access'],
])

/** A scope in words: as whoever runs this describes it, else as it is known everywhere, else as it is called. */
export function scopeText(speech: Speech, { scope, description }: ScopeInformation): string {
  const key = scopeWords.get(scope)
  return description || (key ? speech.say(key) : scope)
}

function scopeItem(speech: Speech, information: ScopeInformation, n: number): Markup {
  const name = scopePrefix + information.scope
  const text = scopeText(speech, information)
  if (information.scope === 'openid') return html`<li class="given">${text}${hidden(name, 'on')}</li>`
  return html`<li>
    <label for="scope-${n}"
      ><input type="checkbox" id="scope-${n}" name="${name}" checked /> <span>${text}</span></label
    >
  </li>`
}

/** The addresses are the application's words. */
const link = (address: string, text: string): Markup | undefined =>
  isWebAddress(address) ? html`<a href="${address}" rel="noopener noreferrer" target="_blank">${text}</a>` : undefined

function aboutClient(speech: Speech, client: ClientInformation): Markup {
  const links = [
    link(client.policyUri, speech.say('consent.privacy')),
    link(client.tosUri, speech.say('consent.terms')),
  ]
  const shown = links.filter((each) => each !== undefined)
  return html`${client.registeredItself && html`<p class="bad">${speech.say('consent.registered_itself')}</p>`}
  ${shown.length > 0 && html`<p class="hint">${shown.map((each, n) => html`${n > 0 && ' · '}${each}`)}</p>`}`
}

/** @param name of the person whose account it is */
export function consentPage(
  paper: Paper,
  { page: asked, ties: carried, name }: { page: ConsentPage; ties: Ties; name: string },
): HttpAnswer {
  const { speech, root } = paper
  const client = asked.client ?? ClientInformation.decode(new Uint8Array())
  const both = { client: html`<strong>${named(client.name || client.id)}</strong>`, name: person(name) }
  return page(paper, 200, {
    title: speech.say('consent.title'),
    body: html`<h1>${speech.say('consent.title')}</h1>
      <p>${speech.tell('consent.text', both)}</p>
      ${
        asked.userCode !== '' &&
        html`<p>${speech.say('consent.device')}</p>
          <p class="code">${shownUserCode(asked.userCode.replace('-', ''))}</p>`
      }
      <form method="post" action="${root}${paths.consent}">
        ${ties(carried)}
        ${
          asked.scopes.length > 0 &&
          html`<fieldset>
            <legend>${speech.say('consent.may')}</legend>
            <ul class="ticks">
              ${asked.scopes.map((scope, n) => scopeItem(speech, scope, n))}
            </ul>
          </fieldset>`
        }
        ${aboutClient(speech, client)}
        <p class="hint">${speech.say('consent.remembered')}</p>
        <div class="actions">
          <button class="second" name="decision" value="deny">${speech.say('consent.deny')}</button>
          <button name="decision" value="allow">${speech.say('consent.allow')}</button>
        </div>
      </form>`,
  })
}
