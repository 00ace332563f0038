import { html, type HttpAnswer, type Markup, type PageOptions, type Shown } from '@countersign/chassis'
import { headersOf, page, ties, type Mistake, type Paper, type Ties } from '../paper.ts'
import { alert, navigation, notice as told } from '../pieces.ts'

/** The pages of an account and where they lie, in the order of their navigation. */
export const accountPaths = {
  overview: 'account',
  password: 'account/password',
  second_factor: 'account/second-factor',
  passkeys: 'account/passkeys',
  identities: 'account/identities',
  sessions: 'account/sessions',
  applications: 'account/applications',
} as const

export type AccountPage = keyof typeof accountPaths

/** What was done, as the page that a form leads back to says. */
export const notices = [
  'password_changed',
  'second_factor_removed',
  'passkey_added',
  'passkey_removed',
  'identity_removed',
  'session_ended',
  'others_ended',
  'application_removed',
] as const

export type Notice = (typeof notices)[number]

/** What every page of an account is made with. */
export interface Frame {
  paper: Paper
  here: AccountPage
  /** The pages that there are. */
  pages: readonly AccountPage[]
  /** Of the forms of this page. */
  csrf: string
  notice?: Notice | undefined
  mistake?: Mistake | undefined
}

export const tiesOf = ({ csrf }: Frame): Ties => ({ purpose: undefined, csrf })

export interface FramedPage extends Pick<PageOptions, 'script'> {
  title?: string
  body: Shown
  /** A form of the page leads away from this server. */
  isLeaving?: boolean
}

/** A page of an account, with the way to the others. */
export function framed(frame: Frame, { title, body, isLeaving = false, ...more }: FramedPage): HttpAnswer {
  const { paper, here, pages, notice, mistake } = frame
  const { speech, root } = paper
  const said = title ?? speech.say(`account.${here}.title`)
  const links = pages.map((each) => ({
    href: `${root}${accountPaths[each]}`,
    text: speech.say(`account.${each}.title`),
    isHere: each === here,
  }))
  return page(paper, mistake?.status ?? 200, {
    ...more,
    title: said,
    headers: headersOf(mistake),
    navigation: navigation(speech.say('account.overview.title'), links),
    ...(!isLeaving && { formAction: "'self'" as const }),
    body: html`<h1>${said}</h1>
      ${told(notice && speech.say(`account.done.${notice}`))} ${alert(mistake?.message)} ${body}`,
  })
}

export interface ActForm {
  /** Which of the page's forms it is; the field `act`. */
  act: string
  fields?: Readonly<Record<string, string>>
  button: string
  /** What the button does it to, for those who do not see where it stands. */
  about?: string
  className?: string
  body?: Markup
}

/** A form of the page that is shown. */
export function actForm(frame: Frame, { act, fields, button, about, className, body }: ActForm): Markup {
  const { root } = frame.paper
  return html`<form method="post" action="${root}${accountPaths[frame.here]}">
    ${ties(tiesOf(frame), { act, ...fields })} ${body}
    <button${className !== undefined && html` class="${className}"`}${about !== undefined && html` aria-label="${button}: ${about}"`}>${button}</button>
  </form>`
}
