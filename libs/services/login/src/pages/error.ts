import { formPostPage, html, toldOnPages, type HttpAnswer, type Markup } from '@countersign/chassis'
import type { Failure, FailureCode } from '@countersign/contracts'
import type { WordKey } from '../speech.ts'
import { page, paths, type Paper } from './paper.ts'
import { named } from './pieces.ts'

const invalid = ['error.invalid_title', 'error.invalid_text'] as const
const denied = ['error.denied_title', 'error.denied_text'] as const
const gone = ['error.gone_title', 'error.gone_text'] as const
const busy = ['error.busy_title', 'error.busy_text'] as const
const unavailable = ['error.unavailable_title', 'error.unavailable_text'] as const

/** Every failure in words for people. */
const failureWords = {
  invalid_request: invalid,
  invalid_client: denied,
  invalid_grant: invalid,
  unauthorized_client: denied,
  unsupported_grant_type: invalid,
  invalid_scope: invalid,
  invalid_target: invalid,
  invalid_dpop_proof: invalid,
  use_dpop_nonce: invalid,
  authorization_pending: busy,
  slow_down: busy,
  expired_token: gone,
  unsupported_media_type: invalid,
  method_not_allowed: invalid,
  access_denied: denied,
  not_found: gone,
  conflict: ['error.conflict_title', 'error.conflict_text'],
  too_large: invalid,
  too_many_requests: busy,
  deadline_exceeded: unavailable,
  unavailable,
  internal: ['error.internal_title', 'error.internal_text'],
} as const satisfies Record<FailureCode, readonly [WordKey, WordKey]>

interface Sorry {
  failure: Failure
  title: Markup | string
  /** The same without markup. */
  plainTitle: string
  text: Markup | string
  link: { href: string; text: string }
}

/** What is wrong, what one can do, and, for whoever helps, what the failure says of itself. */
function sorry(paper: Paper, { failure, title, plainTitle, text, link }: Sorry): HttpAnswer {
  const { status, headers, detail } = toldOnPages(failure)
  const told = detail !== undefined && { detail: html`<span lang="en">${detail}</span>` }
  return page(paper, status, {
    title: plainTitle,
    formAction: "'none'",
    headers,
    body: html`<h1>${title}</h1>
      <p role="alert">${text}</p>
      ${told && html`<p class="hint">${paper.speech.tell('error.detail', told)}</p>`}
      <a class="button second whole" href="${link.href}">${link.text}</a>`,
  })
}

/** @param again where the person may start again, as the page's links are; the sign-in page unless it is given */
export function errorPage(paper: Paper, failure: Failure, again = `${paper.root}${paths.signIn}`): HttpAnswer {
  const { speech } = paper
  const [title, text] = failureWords[failure.code]
  const wait = speech.duration((failure.retryAfterSeconds ?? 1) * 1_000)
  const link = { href: again, text: speech.say('page.start_again') }
  return sorry(paper, {
    failure,
    title: speech.say(title),
    plainTitle: speech.say(title),
    text: speech.say(text, { wait }),
    link,
  })
}

const providerWords = {
  unreachable: ['provider.unreachable_title', 'provider.unreachable_text'],
  refused: ['provider.refused_title', 'provider.refused_text'],
  unusable: ['provider.unusable_title', 'provider.unusable_text'],
} as const

const whatOf: Partial<Record<FailureCode, keyof typeof providerWords>> = {
  unavailable: 'unreachable',
  deadline_exceeded: 'unreachable',
  too_many_requests: 'unreachable',
  access_denied: 'refused',
}

/**
 * A sign-in with a provider has failed, and the other ways are still there.
 * @param name of the provider
 * @param again where the person chooses another way, as the page's links are
 */
export function providerErrorPage(
  paper: Paper,
  { name, again, failure }: { name: string; again: string; failure: Failure },
): HttpAnswer {
  const { speech } = paper
  const [title, text] = providerWords[whatOf[failure.code] ?? 'unusable']
  return sorry(paper, {
    failure,
    title: speech.tell(title, { provider: named(name) }),
    plainTitle: speech.say(title, { provider: name }),
    text: speech.tell(text, { provider: named(name) }),
    link: { href: again, text: speech.say('provider.back') },
  })
}

/** Back to the application by a form (OAuth 2.0 Form Post Response Mode). */
export const returnPage = (
  { speech, look }: Paper,
  address: string,
  fields: readonly { name: string; value: string }[],
): HttpAnswer =>
  formPostPage(
    address,
    fields,
    { title: speech.say('return.title'), text: speech.say('return.text'), button: speech.say('page.continue') },
    { lang: speech.language, look },
  )
