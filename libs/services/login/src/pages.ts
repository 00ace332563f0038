import { html, pageAnswer, type HttpAnswer, type Markup } from '@countersign/chassis'
import type {
  ClientInformation,
  ConsentPage,
  ScopeInformation,
  SignInPage,
  SignOutPage,
} from '@countersign/contracts/authorization'
import { fieldOf, shownUserCode, type Purpose } from './errand.ts'
import { limits } from './limits.ts'

/** What every form carries. */
export interface FormTies {
  purpose: Purpose
  csrf: string
}

const hidden = (name: string, value: string): Markup => html`<input type="hidden" name="${name}" value="${value}" />`

function ties({ purpose, csrf }: FormTies): Markup {
  const field = fieldOf(purpose)
  return html`${hidden('csrf', csrf)}${field && hidden(field.name, field.value)}`
}

/** Names come from applications: what turns the direction of text around stays within them. */
const named = (client: ClientInformation): Markup => html`<bdi>${client.name || client.id}</bdi>`

const alert = (mistake: string | undefined): Markup | undefined =>
  mistake === undefined ? undefined : html`<p class="bad" role="alert">${mistake}</p>`

const person = (name: string): Markup => html`<strong><bdi>${name}</bdi></strong>`

/** Why a page is shown again. */
export interface Mistake {
  status: number
  message: string
  retryAfterSeconds?: number
}

const headersOf = (mistake: Mistake | undefined): Record<string, string> =>
  mistake?.retryAfterSeconds === undefined ? {} : { 'retry-after': String(mistake.retryAfterSeconds) }

/** @param loginName as the person typed it, when the page is shown again */
export function signInPage(
  page: SignInPage,
  form: FormTies,
  mistake?: Mistake,
  loginName = page.loginHint,
): HttpAnswer {
  const { client } = page
  return pageAnswer(mistake?.status ?? 200, {
    title: 'Sign in',
    headers: headersOf(mistake),
    body: html`<h1>Sign in</h1>
      ${client && html`<p>to go on to ${named(client)}</p>`}
      ${page.again && !mistake && html`<p>Please sign in once more to show that it is you.</p>`}
      ${alert(mistake?.message)}
      <form method="post" action="login">
        ${ties(form)}
        <label for="login_name">Login name</label>
        <input
          id="login_name"
          name="login_name"
          value="${loginName}"
          autocomplete="username"
          autocapitalize="none"
          spellcheck="false"
          required${loginName === '' && html` autofocus`}
        />
        <label for="password">Password</label>
        <input
          id="password"
          name="password"
          type="password"
          autocomplete="current-password"
          required${loginName !== '' && html` autofocus`}
        />
        <button>Sign in</button>
      </form>`,
  })
}

/** Scopes that OpenID Connect defines, in words. */
const words: Readonly<Record<string, string>> = {
  openid: 'Know who you are',
  profile: 'See your name and profile',
  email: 'See your e-mail address',
  address: 'See your postal address',
  phone: 'See your phone number',
  offline_access: 'Keep this access while you are not there',
}

/** What comes before a scope's name in the name of its form field. */
export const scopePrefix = 'scope:'

function scopeItem({ scope, description }: ScopeInformation, n: number): Markup {
  const name = scopePrefix + scope
  const told = description || words[scope] || scope
  if (scope === 'openid') return html`<li>${told}${hidden(name, 'on')}</li>`
  return html`<li>
    <label for="scope-${n}"><input type="checkbox" id="scope-${n}" name="${name}" checked /> ${told}</label>
  </li>`
}

/** Only to web pages: the addresses are the application's words. */
const link = (uri: string, text: string): Markup | undefined =>
  /^https?:\/\//i.test(uri) ? html`<a href="${uri}" rel="noopener noreferrer" target="_blank">${text}</a> ` : undefined

function aboutClient(client: ClientInformation): Markup {
  const links = [link(client.policyUri, 'Privacy policy'), link(client.tosUri, 'Terms of service')]
  return html`${
    client.registeredItself &&
    html`<p class="hint">This application registered itself: nobody here vouches for its name.</p>`
  }
  ${links.some(Boolean) && html`<p class="hint">${links}</p>`}`
}

export function consentPage(page: ConsentPage, form: FormTies, loginName: string): HttpAnswer {
  const client = page.client ?? {
    id: '',
    name: '',
    uri: '',
    logoUri: '',
    policyUri: '',
    tosUri: '',
    registeredItself: false,
  }
  return pageAnswer(200, {
    title: 'Allow access',
    body: html`<h1>Allow access?</h1>
      <p>${named(client)} asks for access to your account ${person(loginName)}.</p>
      ${
        page.userCode !== '' &&
        html`<p>Your device must show this code. If it does not, somebody else is asking: deny it.</p>
          <p class="code">${shownUserCode(page.userCode.replace('-', ''))}</p>`
      }
      <form method="post" action="consent">
        ${ties(form)}
        ${
          page.scopes.length > 0 &&
          html`<fieldset>
            <legend>It may</legend>
            <ul>
              ${page.scopes.map(scopeItem)}
            </ul>
          </fieldset>`
        }
        ${aboutClient(client)}
        <div class="actions">
          <button class="second" name="decision" value="deny">Deny</button>
          <button name="decision" value="allow">Allow</button>
        </div>
      </form>`,
  })
}

/** @param form of a sign-out on the person's own behalf */
export const signedInPage = (form: FormTies, loginName: string): HttpAnswer =>
  pageAnswer(200, {
    title: 'You are signed in',
    formAction: "'self'",
    body: html`<h1>You are signed in</h1>
      <p>as ${person(loginName)}</p>
      <form method="post" action="logout">${ties(form)}<button name="decision" value="leave">Sign out</button></form>
      <form method="post" action="logout">
        ${ties(form)}<button class="second" name="decision" value="everywhere">Sign out everywhere</button>
        <p class="hint">Ends your sessions in all browsers, and what applications were allowed to do for you.</p>
      </form>`,
  })

export const signOutPage = ({ client }: SignOutPage, form: FormTies): HttpAnswer =>
  pageAnswer(200, {
    title: 'Sign out',
    body: html`<h1>Sign out?</h1>
      ${client ? html`<p>${named(client)} asks to sign you out here, too.</p>` : html`<p>Do you want to sign out?</p>`}
      <form method="post" action="logout">
        ${ties(form)}
        <div class="actions">
          <button class="second" name="decision" value="stay">Stay signed in</button>
          <button name="decision" value="leave">Sign out</button>
        </div>
      </form>`,
  })

export function devicePage(form: FormTies, mistake?: Mistake, typed = ''): HttpAnswer {
  return pageAnswer(mistake?.status ?? 200, {
    title: 'Connect a device',
    formAction: "'self'",
    headers: headersOf(mistake),
    body: html`<h1>Connect a device</h1>
      <p>Enter the code that your device shows.</p>
      ${alert(mistake?.message)}
      <form method="post" action="device">
        ${ties(form)}
        <label for="user_code">Code</label>
        <input
          id="user_code"
          class="code"
          name="user_code"
          value="${typed}"
          placeholder="${'X'.repeat(limits.userCodeLetters / 2)}-${'X'.repeat(limits.userCodeLetters / 2)}"
          autocomplete="off"
          autocapitalize="characters"
          spellcheck="false"
          required
          autofocus
        />
        <button>Continue</button>
      </form>`,
  })
}

/** The end of an errand that leads nowhere. */
export const donePage = (title: string, message: string): HttpAnswer =>
  pageAnswer(200, {
    title,
    formAction: "'none'",
    body: html`<h1>${title}</h1>
      <p>${message}</p>`,
  })
