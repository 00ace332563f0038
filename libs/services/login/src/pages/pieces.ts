import { html, type HttpAnswer, type Markup, type Shown } from '@countersign/chassis'
import { page, ties, type Paper, type Ties } from './paper.ts'

/** Somebody's or something's own name: what turns the direction of text around stays within it. */
export const named = (name: string): Markup => html`<bdi>${name}</bdi>`

export const person = (name: string): Markup => html`<strong>${named(name)}</strong>`

/** The id of the alert, for the fields that it is about. */
export const alertId = 'mistake'

export const alert = (message: string | undefined): Markup | undefined =>
  message === undefined ? undefined : html`<p class="bad" id="${alertId}" role="alert">${message}</p>`

/** That something was done. */
export const notice = (message: string | undefined): Markup | undefined =>
  message === undefined ? undefined : html`<p class="good" role="status">${message}</p>`

export interface Field {
  name: string
  label: string
  /** Unless two forms of a page have a field of this name. */
  id?: string
  type?: 'text' | 'password' | 'email'
  value?: string
  /** HTML section 4.10.18.7. */
  autocomplete: string
  hint?: string | undefined
  /** What is wrong with this very field. */
  mistake?: string | undefined
  /** The page's alert is about this field, among others. */
  isAlertAbout?: boolean
  isFocused?: boolean
  isOptional?: boolean
  isReadOnly?: boolean
  /** Characters. */
  least?: number
  most?: number
  className?: string
  /** More of the input's attributes. */
  attributes?: Markup
}

/** A labelled input, with whatever is to be said of it told to those who cannot see it, too. */
export function field(options: Field): Markup {
  const { name, label, type = 'text', id = name, value = '', autocomplete, hint, mistake, least, most } = options
  const { isAlertAbout = false, isFocused, isOptional, isReadOnly, className, attributes } = options
  const about = [isAlertAbout && alertId, mistake !== undefined && `${id}-mistake`, hint !== undefined && `${id}-hint`]
  const describedBy = about.filter(Boolean).join(' ')
  const isWrong = isAlertAbout || mistake !== undefined
  return html`<label for="${id}">${label}</label>
    <input
      id="${id}"
      name="${name}"
      type="${type}"
      value="${value}"
      autocomplete="${autocomplete}"
      ${className !== undefined && html` class="${className}"`}${describedBy !== '' && html` aria-describedby="${describedBy}"`}${isWrong && html` aria-invalid="true"`}${least !== undefined && html` minlength="${least}"`}${most !== undefined && html` maxlength="${most}"`}${isReadOnly && html` readonly`}${!isOptional && !isReadOnly && html` required`}${isFocused && html` autofocus`}${attributes}
    />
    ${mistake !== undefined && html`<p class="mistake" id="${id}-mistake">${mistake}</p>`}
    ${hint !== undefined && html`<p class="hint" id="${id}-hint">${hint}</p>`}`
}

/** Of fields that hold a name or a code and nothing of a language. */
export const asTyped = html` autocapitalize="none" spellcheck="false"`

/** What is wrong, by the name of the field. */
export type FieldMistakes = Readonly<Partial<Record<string, string>>>

/** The first of these fields with a mistake; else the first. It has the focus. */
export const focusOf = (names: readonly string[], mistakes: FieldMistakes): string | undefined =>
  names.find((name) => mistakes[name] !== undefined) ?? names[0]

/** Above a form with mistakes in its fields. */
export const lookAgain = ({ speech }: Paper, mistakes: FieldMistakes): Markup | undefined =>
  alert(Object.values(mistakes).some((each) => each !== undefined) ? speech.say('page.look_again') : undefined)

export interface PasswordFields {
  least: number
  most: number
  mistakes: FieldMistakes
  labels: { password: string; again: string }
  isFocused: boolean
}

/** A new password, twice. */
export function newPasswordFields({ speech }: Paper, options: PasswordFields): Markup {
  const { least, most, mistakes, labels, isFocused } = options
  const bounds = { type: 'password', autocomplete: 'new-password', least, most } as const
  const hint = speech.say('choose.hint', { least })
  const isAgain = isFocused && mistakes.password === undefined && mistakes.password_again !== undefined
  return html`${field({
    ...bounds,
    name: 'password',
    label: labels.password,
    hint,
    mistake: mistakes.password,
    isFocused: isFocused && !isAgain,
  })}${field({
    ...bounds,
    name: 'password_again',
    label: labels.again,
    mistake: mistakes.password_again,
    isFocused: isAgain,
  })}`
}

/** A part of a wide page. */
export const section = (id: string, title: string, body: Shown): Markup =>
  html`<section aria-labelledby="${id}">
    <h2 id="${id}">${title}</h2>
    ${body}
  </section>`

/** Names and what they are. */
export const facts = (pairs: readonly (readonly [string, Shown])[]): Markup =>
  html`<dl class="facts">
    ${pairs.map(
      ([term, value]) =>
        html`<dt>${term}</dt>
          <dd>${value}</dd> `,
    )}
  </dl>`

export interface Entry {
  title: Shown
  /** Such as "this device". */
  tag?: string | undefined
  lines?: readonly Shown[]
  /** A form with a small button. */
  action?: Markup | undefined
}

/** Things of a kind, each with what may be done with it. */
export const entries = (list: readonly Entry[]): Markup =>
  html`<ul class="entries">
    ${list.map(
      ({ title, tag, lines = [], action }) =>
        html`<li>
          <div>
            <p><strong>${title}</strong>${tag !== undefined && html` <span class="tag">${tag}</span>`}</p>
            ${lines.map((line) => html`<p class="hint">${line}</p>`)}
          </div>
          ${action}
        </li>`,
    )}
  </ul>`

/** The ways through the pages of one kind. */
export const navigation = (label: string, links: readonly { href: string; text: string; isHere: boolean }[]): Markup =>
  html`<nav aria-label="${label}">
    <ul>
      ${links.map(
        ({ href, text, isHere }) =>
          html`<li><a href="${href}" ${isHere && html` aria-current="page"`}>${text}</a></li>`,
      )}
    </ul>
  </nav>`

export interface Confirmation {
  title: string
  text: Shown
  ties: Ties
  /** More that the form carries. */
  fields?: Readonly<Record<string, string>>
  /** As {@link paths} has them. */
  action: string
  button: string
  back: string
}

/** Asks once more before something that cannot be undone. */
export const confirmationPage = (paper: Paper, asked: Confirmation): HttpAnswer =>
  page(paper, 200, {
    title: asked.title,
    formAction: "'self'",
    body: html`<h1>${asked.title}</h1>
      <p>${asked.text}</p>
      <form method="post" action="${paper.root}${asked.action}">
        ${ties(asked.ties, asked.fields)}
        <div class="actions">
          <a class="button second" href="${paper.root}${asked.back}">${paper.speech.say('page.cancel')}</a>
          <button class="danger">${asked.button}</button>
        </div>
      </form>`,
  })
