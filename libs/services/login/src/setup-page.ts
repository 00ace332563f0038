import { limits as accountLimits } from '@countersign/accounts'
import { html, pageAnswer, type HttpAnswer, type Markup } from '@countersign/chassis'

/** As the person filled it in. */
export interface SetupFields {
  loginName: string
  name: string
  email: string
}

const passwordField = (id: string, label: string): Markup =>
  html`<label for="${id}">${label}</label>
    <input
      id="${id}"
      name="${id}"
      type="password"
      autocomplete="new-password"
      required
      minlength="${accountLimits.passwordLeastCharacters}"
      maxlength="${accountLimits.passwordMostCharacters}"
    />`

/** @param mistakes in words, when the page is shown again */
export function setupPage(
  { csrf, token }: { csrf: string; token: string },
  fields: SetupFields,
  mistakes: readonly string[] = [],
): HttpAnswer {
  const { passwordLeastCharacters, loginNameCharacters, claimCharacters } = accountLimits
  return pageAnswer(mistakes.length > 0 ? 400 : 200, {
    title: 'Set up Countersign',
    formAction: "'self'",
    body: html`<h1>Set up Countersign</h1>
      <p>Make the first account. This page works once.</p>
      ${mistakes.length > 0 && html`<div class="bad" role="alert">${mistakes.map((mistake) => html`<div>${mistake}</div>`)}</div>`}
      <form method="post" action="setup">
        <input type="hidden" name="csrf" value="${csrf}" /><input type="hidden" name="token" value="${token}" />
        <label for="login_name">Login name</label>
        <input
          id="login_name"
          name="login_name"
          value="${fields.loginName}"
          autocomplete="username"
          autocapitalize="none"
          spellcheck="false"
          maxlength="${loginNameCharacters}"
          required
          autofocus
        />
        <label for="name">Full name</label>
        <input id="name" name="name" value="${fields.name}" autocomplete="name" maxlength="${claimCharacters}" />
        <label for="email">E-mail address</label>
        <input
          id="email"
          name="email"
          type="email"
          value="${fields.email}"
          autocomplete="email"
          maxlength="${claimCharacters}"
        />
        ${passwordField('password', 'Password')}
        <p class="hint">At least ${passwordLeastCharacters} characters.</p>
        ${passwordField('password_again', 'Password again')}
        <button>Make the account</button>
      </form>`,
  })
}
