import { html, type HttpAnswer, type Markup } from '@countersign/chassis'
import type { SignInPage } from '@countersign/contracts/authorization'
import { linkTo } from '../errand.ts'
import { headersOf, page, paths, ties, type Mistake, type Paper, type Ties } from './paper.ts'
import { passkeyScript, passkeySignIn, type PasskeyChallenge } from './passkey.ts'
import { alert, asTyped, field, named } from './pieces.ts'

export interface SignInOffer {
  page: SignInPage
  ties: Ties
  /** Who else signs people in, in this order. */
  providers: readonly { id: string; name: string }[]
  /** Whether accounts of ours have login name and password. */
  local: boolean
  canReset: boolean
  passkey?: PasskeyChallenge
  mistake?: Mistake
  /** As the person typed it, when the page is shown again. */
  loginName?: string
}

/** Every way to sign in. */
export function signInPage(paper: Paper, offer: SignInOffer): HttpAnswer {
  const { speech } = paper
  const { page: asked, ties: carried, providers, local, passkey, mistake } = offer
  const { client } = asked
  return page(paper, mistake?.status ?? 200, {
    title: speech.say('sign_in.title'),
    headers: headersOf(mistake),
    body: html`<h1>${speech.say('sign_in.title')}</h1>
      ${client && html`<p class="lead">${speech.tell('sign_in.to', { client: named(client.name || client.id) })}</p>`}
      ${asked.again && !mistake && html`<p>${speech.say('sign_in.again')}</p>`} ${alert(mistake?.message)}
      ${providers.length > 0 && providerForm(paper, carried, providers)}
      ${providers.length > 0 && local && html`<p class="or">${speech.say('sign_in.or')}</p>`}
      ${local && localForm(paper, offer)} ${passkey && passkeySignIn(paper, carried, passkey)}`,
    ...(passkey && { script: passkeyScript }),
  })
}

const providerForm = ({ speech, root }: Paper, carried: Ties, providers: SignInOffer['providers']): Markup =>
  html`<form class="choices" method="post" action="${root}${paths.signIn}">
    ${ties(carried)}
    ${providers.map(
      ({ id, name }) =>
        html`<button class="second" name="provider" value="${id}">
          <span class="initial" aria-hidden="true">${[...name][0]?.toUpperCase()}</span>
          <span>${speech.tell('sign_in.provider', { provider: named(name) })}</span>
        </button>`,
    )}
  </form>`

function localForm({ speech, root }: Paper, offer: SignInOffer): Markup {
  const { page: asked, ties: carried, providers, canReset, passkey, mistake, loginName = asked.loginHint } = offer
  const isFocused = providers.length === 0 || mistake !== undefined
  return html`<form method="post" action="${root}${paths.signIn}">
    ${ties(carried)}
    ${field({
      name: 'login_name',
      label: speech.say('field.login_name'),
      value: loginName,
      autocomplete: passkey ? 'username webauthn' : 'username',
      isAlertAbout: mistake?.status === 401,
      isFocused: isFocused && loginName === '',
      attributes: asTyped,
    })}
    ${field({
      name: 'password',
      label: speech.say('field.password'),
      type: 'password',
      autocomplete: 'current-password',
      isAlertAbout: mistake?.status === 401,
      isFocused: isFocused && loginName !== '',
    })}
    ${canReset && html`<p class="aside"><a href="${root}${paths.requestReset}${queryOf(carried)}">${speech.say('sign_in.forgotten')}</a></p>`}
    <button>${speech.say('sign_in.button')}</button>
  </form>`
}

/** So that whoever comes back from another page is still here for the same. */
function queryOf({ purpose }: Ties): string {
  const link = linkTo(purpose)
  return link.includes('?') ? link.slice(link.indexOf('?')) : ''
}
