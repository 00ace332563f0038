import { limits as accountLimits } from '@countersign/accounts'
import { html, type HttpAnswer } from '@countersign/chassis'
import { linkTo, type Purpose } from '../errand.ts'
import { headersOf, page, paths, ties, type Mistake, type Paper, type Ties } from './paper.ts'
import { alert, asTyped, field, lookAgain, newPasswordFields, type FieldMistakes } from './pieces.ts'

const backToSignIn = ({ speech, root }: Paper, purpose: Purpose) =>
  html`<p class="aside"><a href="${root}${linkTo(purpose)}">${speech.say('page.back_to_sign_in')}</a></p>`

/** Asks for the login name of whoever wants a new password. */
export function resetRequestPage(
  paper: Paper,
  { ties: carried, loginName = '', mistake }: { ties: Ties; loginName?: string; mistake?: Mistake },
): HttpAnswer {
  const { speech, root } = paper
  return page(paper, mistake?.status ?? 200, {
    title: speech.say('reset.title'),
    formAction: "'self'",
    headers: headersOf(mistake),
    body: html`<h1>${speech.say('reset.title')}</h1>
      <p class="lead">${speech.say('reset.text')}</p>
      ${alert(mistake?.message)}
      <form method="post" action="${root}${paths.requestReset}">
        ${ties(carried)}
        ${field({
          name: 'login_name',
          label: speech.say('field.login_name'),
          value: loginName,
          autocomplete: 'username',
          most: accountLimits.loginNameCharacters,
          isAlertAbout: mistake !== undefined,
          isFocused: true,
          attributes: asTyped,
        })}
        <button>${speech.say('reset.button')}</button>
      </form>
      ${backToSignIn(paper, carried.purpose)}`,
  })
}

/** The same whether there is such an account or not. @param validForMs how long the link is good */
export const resetSentPage = (
  paper: Paper,
  { purpose, validForMs }: { purpose: Purpose; validForMs: number },
): HttpAnswer =>
  page(paper, 200, {
    title: paper.speech.say('reset_sent.title'),
    formAction: "'none'",
    body: html`<h1>${paper.speech.say('reset_sent.title')}</h1>
      <p>${paper.speech.say('reset_sent.text', { time: paper.speech.duration(validForMs) })}</p>
      <p class="hint">${paper.speech.say('reset_sent.nothing')}</p>
      ${backToSignIn(paper, purpose)}`,
  })

export interface PasswordChoice {
  /** What the link was for. */
  reason: 'reset' | 'invitation'
  ties: Ties
  /** Of the link; the form carries it. */
  token: string
  loginName: string
  leastCharacters: number
  /** Of `password` and `password_again`. */
  mistakes?: FieldMistakes
}

/** Where the links in letters lead. */
export function choosePasswordPage(paper: Paper, choice: PasswordChoice): HttpAnswer {
  const { speech, root, look } = paper
  const { reason, ties: carried, token, loginName, leastCharacters, mistakes = {} } = choice
  const isReset = reason === 'reset'
  const title = isReset
    ? speech.say('choose.reset_title')
    : speech.say('choose.invitation_title', { product: look.name })
  return page(paper, Object.keys(mistakes).length > 0 ? 400 : 200, {
    title,
    formAction: "'self'",
    body: html`<h1>${title}</h1>
      ${!isReset && html`<p class="lead">${speech.say('choose.invitation_text')}</p>`} ${lookAgain(paper, mistakes)}
      <form method="post" action="${root}${paths.choosePassword}">
        ${ties(carried, { token })}
        ${field({
          name: 'login_name',
          label: speech.say('field.login_name'),
          value: loginName,
          autocomplete: 'username',
          isReadOnly: true,
        })}
        ${newPasswordFields(paper, {
          least: leastCharacters,
          most: accountLimits.passwordMostCharacters,
          mistakes,
          labels: { password: speech.say('field.new_password'), again: speech.say('field.new_password_again') },
          isFocused: true,
        })}
        <button>${speech.say(isReset ? 'choose.reset_button' : 'choose.invitation_button')}</button>
      </form>`,
  })
}
