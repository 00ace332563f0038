import { Failure, type FailureCode } from '@countersign/contracts'
import { plainLook, sourceOf, type Look } from './look.ts'
import { failureHeaders, problems, toldMessage } from './problem.ts'
import type { HttpAnswer } from './route.ts'

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

/** In what language a page is, and what it looks like. */
export interface PageDress {
  /** BCP 47; English unless it says else. */
  lang?: string
  look?: Look
}

export interface PageOptions extends PageDress {
  title: string
  /** What is in `<main>`. */
  body: Markup
  /** Beside or above it; it makes the page a wide one. */
  navigation?: Markup
  /** Below it. */
  foot?: Markup
  /**
   * Where forms of the page may go. Leave it out where an answer to the form sends the browser on to an application:
   * Chromium holds the redirects after a form to it, too. What keeps forms honest there is that everything is escaped.
   */
  formAction?: "'none'" | "'self'"
  /** JavaScript that runs once the page is there; a constant of ours, and nothing that anybody sent. */
  script?: string
  headers?: Readonly<Record<string, string>>
}

function brandOf({ name, logo }: Look): Markup | undefined {
  if (name === '' && logo === undefined) return undefined
  return html`<header class="brand">
    ${logo !== undefined && html`<img src="${logo}" alt="" />`}${name !== '' && html`<span><bdi>${name}</bdi></span>`}
  </header>`
}

const policyOf = (look: Look, { formAction, script }: PageOptions): string =>
  [
    "default-src 'none'",
    `style-src ${look.styleSource}`,
    look.logo !== undefined && 'img-src data:',
    script !== undefined && `script-src ${sourceOf(script)}`,
    formAction && `form-action ${formAction}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ]
    .filter(Boolean)
    .join('; ')

/**
 * A page that is framed by nobody and kept by nobody. What is inline in it is constant, so the policy names it by its hash;
 * no page needs its script.
 */
export function pageAnswer(status: number, options: PageOptions): HttpAnswer {
  const { title, body, navigation, foot, script, headers, lang = 'en', look = plainLook } = options
  const sheet = html`<main>${body}</main>`
  const text = html`<!doctype html>
    <html lang="${lang}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <title>${title}</title>
        ${new Markup(`<style>${look.style}</style>`)}
      </head>
      <body${navigation && html` class="wide"`}>
        ${brandOf(look)} ${navigation ? html`<div class="frame">${navigation}${sheet}</div>` : sheet} ${foot}
        ${script !== undefined && new Markup(`<script>${script}</script>\n`)}
      </body>
    </html> `
  return {
    status,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy': policyOf(look, options),
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
  dress: PageDress = {},
): HttpAnswer =>
  pageAnswer(status, {
    ...dress,
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

/** What a page about a failure has to say in its status and headers, and may say in its text. */
export function toldOnPages(failure: Failure): {
  status: number
  headers: Record<string, string>
  /** In English; undefined where it is about what went wrong inside. */
  detail: string | undefined
} {
  const { status } = problems[failure.code]
  // A browser would take a challenge as reason to ask for a password.
  const { 'www-authenticate': _challenge, ...headers } = failureHeaders(failure, status)
  return { status, headers, detail: sentences[failure.code] ? undefined : sentence(toldMessage(failure)) }
}

/** Turns failures into pages. */
export const failurePages =
  (dress: PageDress) =>
  (failure: Failure): HttpAnswer => {
    const { status, headers, detail } = toldOnPages(failure)
    const title = titles[failure.code] ?? problems[failure.code].title
    return errorPage(status, title, detail ?? sentences[failure.code]!, headers, dress)
  }

/** A failure as a page: of what went wrong inside, nothing. */
export const pageFailure = failurePages({})

// By way of the prototype: a field may be called "submit".
const submitScript = 'HTMLFormElement.prototype.submit.call(document.forms[0])'

export interface FormPostWords {
  title: string
  text: string
  button: string
}

const inEnglish: FormPostWords = {
  title: 'One moment',
  text: 'You are being sent back to the application.',
  button: 'Continue',
}

/**
 * A form that sends itself (OAuth 2.0 Form Post Response Mode), with a button where scripts are off.
 * @param action an http(s) URL of which the caller knows that it is the application's
 * @throws Failure `internal` for any other
 */
export function formPostPage(
  action: string,
  fields: readonly { name: string; value: string }[],
  { title, text, button }: FormPostWords = inEnglish,
  dress: PageDress = {},
): HttpAnswer {
  if (!/^https?:\/\//i.test(action)) throw new Failure('internal', 'a form can only be posted to an http URL')
  const inputs = fields.map(({ name, value }) => html`<input type="hidden" name="${name}" value="${value}" />`)
  const body = html`<h1>${title}</h1>
    <p>${text}</p>
    <form method="post" action="${action}">${inputs}<button>${button}</button></form>`
  return pageAnswer(200, { ...dress, title, body, script: submitScript })
}
