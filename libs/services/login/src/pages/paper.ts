import { html, pageAnswer, type HttpAnswer, type Look, type Markup, type PageOptions } from '@countersign/chassis'
import { fieldOf, type Purpose } from '../errand.ts'
import type { Speech } from '../speech.ts'

/** What every page is made with. */
export interface Paper {
  speech: Speech
  look: Look
  /** From the page to where `/login` lies: '' for `/login` itself, '../' for `/account/password`. */
  root: string
}

/** What ties a form to this browser, and to what the person is here for. */
export interface Ties {
  purpose: Purpose
  csrf: string
}

/** Why a page is shown again, in words for the person. */
export interface Mistake {
  status: number
  message: string
  retryAfterSeconds?: number
}

/** Where the forms and links of pages lead, seen from where `/login` lies. */
export const paths = {
  signIn: 'login',
  requestReset: 'login/reset',
  choosePassword: 'login/password',
  consent: 'consent',
  device: 'device',
  signOut: 'logout',
  setup: 'setup',
  account: 'account',
} as const

export const hidden = (name: string, value: string): Markup =>
  html`<input type="hidden" name="${name}" value="${value}" />`

/** @param more fields that the form carries along */
export function ties({ purpose, csrf }: Ties, more: Readonly<Record<string, string>> = {}): Markup {
  const field = fieldOf(purpose)
  const carried = Object.entries(more).map(([name, value]) => hidden(name, value))
  return html`${hidden('csrf', csrf)}${field && hidden(field.name, field.value)}${carried}`
}

/** Only to the web: an address may be an application's, or a provider's. */
export const isWebAddress = (address: string): boolean => /^https?:\/\//i.test(address)

function supportOf({ speech, look }: Paper): Markup | undefined {
  if (look.support === undefined) return undefined
  return html`<footer class="foot">
    <a href="${look.support}" rel="noopener noreferrer">${speech.say('page.support')}</a>
  </footer>`
}

export const headersOf = (mistake: Mistake | undefined): Record<string, string> =>
  mistake?.retryAfterSeconds === undefined ? {} : { 'retry-after': String(Math.ceil(mistake.retryAfterSeconds)) }

/** A page in the person's language, with the look of this server. */
export function page(paper: Paper, status: number, options: Omit<PageOptions, 'lang' | 'look' | 'foot'>): HttpAnswer {
  const { speech, look } = paper
  const foot = supportOf(paper)
  const title = look.name === '' ? options.title : `${options.title} · ${look.name}`
  return pageAnswer(status, { ...options, title, lang: speech.language, look, ...(foot && { foot }) })
}
