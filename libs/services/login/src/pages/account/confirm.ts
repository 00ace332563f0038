import { limits as accountLimits } from '@countersign/accounts'
import { html, type HttpAnswer, type Shown } from '@countersign/chassis'
import { ties } from '../paper.ts'
import { field, section } from '../pieces.ts'
import { accountPaths, framed, tiesOf, type Frame } from './frame.ts'

/** What somebody is about to do. */
export interface Question {
  title: string
  text: Shown
  button: string
  isDanger?: boolean
  /** What the form carries, `act` among it. */
  fields: Readonly<Record<string, string>> & { act: string }
  /** The answer to the form leads away from this server. */
  isLeaving?: boolean
}

/** How they show that it is them: by their password, by having signed in just now, or by signing in once more at this link. */
export type Proof = 'password' | 'recent' | { signIn: string }

/** Asks once more, and that it is them. */
export function confirmPage(frame: Frame, question: Question, proof: Proof): HttpAnswer {
  const { paper, here } = frame
  const { title, isLeaving = false } = question
  const body =
    typeof proof === 'string'
      ? html`<form method="post" action="${paper.root}${accountPaths[here]}">${formOf(frame, question, proof)}</form>`
      : html`<p>${paper.speech.say('account.confirm.sign_in')}</p>
          <div class="actions">
            ${cancel(frame)}
            <a class="button" href="${paper.root}${proof.signIn}"
              >${paper.speech.say('account.confirm.sign_in_button')}</a
            >
          </div>`
  return framed(frame, {
    title,
    isLeaving,
    body: section(
      'question',
      paper.speech.say(`account.${here}.title`),
      html`<p>${question.text}</p>
        ${body}`,
    ),
  })
}

const cancel = ({ paper, here }: Frame) =>
  html`<a class="button second" href="${paper.root}${accountPaths[here]}">${paper.speech.say('page.cancel')}</a>`

function formOf(frame: Frame, { fields, button, isDanger }: Question, proof: Proof): Shown {
  const { paper, mistake } = frame
  return html`${ties(tiesOf(frame), { ...fields, confirmed: 'yes' })}
    ${
      proof === 'password' &&
      field({
        name: 'current_password',
        label: paper.speech.say('account.field.current_password'),
        type: 'password',
        autocomplete: 'current-password',
        hint: paper.speech.say('account.confirm.password'),
        most: accountLimits.passwordMostCharacters,
        isAlertAbout: mistake !== undefined,
        isFocused: true,
      })
    }
    <div class="actions">
      ${cancel(frame)}
      <button${isDanger && html` class="danger"`}>${button}</button>
    </div>`
}
