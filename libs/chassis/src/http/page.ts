import { hash } from 'node:crypto'
import { Failure, type FailureCode } from '@countersign/contracts'
import { failureHeaders, problems, toldMessage } from './problem.ts'
import type { HttpAnswer } from './route.ts'
import { stylesheet } from './stylesheet.ts'

/** Text that is HTML already; only {@link html} makes it. */
class Markup {
  readonly #text: string
  constructor(text: string) {
    this.#text = text
  }
  toString(): string {
    return this.#text
  }
}
export type { Markup }

/** What may stand in a template. Nothing is shown of undefined, false and null. */
export type Shown = string | number | Markup | readonly Shown[] | undefined | false | null

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escaped(shown: Shown): string {
  if (shown === undefined || shown === false || shown === null) return ''
  if (shown instanceof Markup) return shown.toString()
  if (typeof shown === 'object') return shown.map(escaped).join('')
  return String(shown)
    .toWellFormed()
    .replace(/[&<>"']/g, (character) => escapes[character]!)
}

/** HTML with whatever is put into it escaped, for text and quoted attributes alike: html`<p title="${a}">${b}</p>`. */
export const html = (strings: TemplateStringsArray, ...values: Shown[]): Markup =>
  new Markup(strings.reduce((text, string, n) => text + escaped(values[n - 1]) + string))

const sourceOf = (inline: string): string => `'sha256-${hash('sha256', inline, 'base64')}'`
const styleSource = sourceOf(stylesheet)
// By way of the prototype: a field may be called "submit".
const submitScript = 'HTMLFormElement.prototype.submit.call(document.forms[0])'
const submitSource = sourceOf(submitScript)

export interface PageOptions {
  title: string
  /** What is in `<main>`. */
  body: Markup
  /**
   * Where forms of the page may go. Leave it out where an answer to the form sends the browser on to an application:
   * Chromium holds the redirects after a form to it, too. What keeps forms honest there is that everything is escaped.
   */
  formAction?: "'none'" | "'self'"
  headers?: Readonly<Record<string, string>>
}

/**
 * A page that works without scripts, is framed by nobody and kept by nobody. What is inline in it is constant, so the policy
 * names it by its hash.
 */
export const pageAnswer = (status: number, options: PageOptions): HttpAnswer => answerWith(status, options, false)

function answerWith(status: number, { title, body, formAction, headers }: PageOptions, submits: boolean): HttpAnswer {
  const policy = [
    "default-src 'none'",
    `style-src ${styleSource}`,
    submits && `script-src ${submitSource}`,
    formAction && `form-action ${formAction}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ]
  const text = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <title>${title}</title>
        ${new Markup(`<style>${stylesheet}</style>`)}
      </head>
      <body>
        <main>${body}</main>
        ${submits && new Markup(`<script>${submitScript}</script>\n`)}
      </body>
    </html> `
  return {
    status,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy': policy.filter(Boolean).join('; '),
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      ...headers,
    },
    body: text.toString(),
  }
}

/** A page that says what is wrong and leads nowhere; title and message may hold anything. */
export const errorPage = (
  status: number,
  title: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): HttpAnswer =>
  pageAnswer(status, {
    title,
    body: html`<h1>${title}</h1>
      <p role="alert">${message}</p>`,
    formAction: "'none'",
    headers,
  })

/** For what is not the person's doing, nor anything that they would understand. */
const sentences: Partial<Record<FailureCode, string>> = {
  unavailable: 'Something that this page needs cannot be reached just now. Please try again in a moment.',
  deadline_exceeded: 'Something that this page needs took too long. Please try again in a moment.',
  internal: 'Something went wrong here. It has been noted; please try again later.',
}

/** Where the problem's title speaks to programs. */
const titles: Partial<Record<FailureCode, string>> = {
  invalid_request: 'This does not work',
  access_denied: 'This is not allowed',
  not_found: 'This page is gone',
}

const sentence = (text: string): string =>
  `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`

/** A failure as a page: of what went wrong inside, nothing. */
export function pageFailure(failure: Failure): HttpAnswer {
  const { status, title } = problems[failure.code]
  // A browser would take a challenge as reason to ask for a password.
  const { 'www-authenticate': _challenge, ...headers } = failureHeaders(failure, status)
  return errorPage(
    status,
    titles[failure.code] ?? title,
    sentences[failure.code] ?? sentence(toldMessage(failure)),
    headers,
  )
}

/**
 * A form that sends itself (OAuth 2.0 Form Post Response Mode), with a button where scripts are off.
 * @param action an http(s) URL of which the caller knows that it is the application's
 * @throws Failure `internal` for any other
 */
export function formPostPage(action: string, fields: readonly { name: string; value: string }[]): HttpAnswer {
  if (!/^https?:\/\//i.test(action)) throw new Failure('internal', 'a form can only be posted to an http URL')
  const inputs = fields.map(({ name, value }) => html`<input type="hidden" name="${name}" value="${value}" />`)
  const body = html`<h1>One moment</h1>
    <p>You are being sent back to the application.</p>
    <form method="post" action="${action}">${inputs}<button>Continue</button></form>`
  return answerWith(200, { title: 'One moment', body }, true)
}
