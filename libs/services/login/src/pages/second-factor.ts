import { html, type HttpAnswer } from '@countersign/chassis'
import { linkTo } from '../errand.ts'
import { headersOf, page, paths, ties, type Mistake, type Paper, type Ties } from './paper.ts'
import { alert, asTyped, field } from './pieces.ts'

/** Both of its forms send the field `code`: digits of an authenticator, or a recovery code. */
export function secondFactorPage(
  paper: Paper,
  { ties: carried, ticket, mistake }: { ties: Ties; ticket: string; mistake?: Mistake },
): HttpAnswer {
  const { speech, root } = paper
  const code = { name: 'code', attributes: asTyped } as const
  return page(paper, mistake?.status ?? 200, {
    title: speech.say('second_factor.title'),
    headers: headersOf(mistake),
    body: html`<h1>${speech.say('second_factor.title')}</h1>
      <p class="lead">${speech.say('second_factor.text')}</p>
      ${alert(mistake?.message)}
      <form method="post" action="${root}${paths.signIn}">
        ${ties(carried, { ticket })}
        ${field({
          ...code,
          label: speech.say('field.code'),
          autocomplete: 'one-time-code',
          className: 'code',
          isAlertAbout: mistake !== undefined,
          isFocused: true,
          attributes: html` inputmode="numeric"${asTyped}`,
        })}
        <button>${speech.say('page.continue')}</button>
      </form>
      <details>
        <summary>${speech.say('second_factor.recovery')}</summary>
        <form method="post" action="${root}${paths.signIn}">
          ${ties(carried, { ticket })}
          ${field({
            ...code,
            id: 'recovery_code',
            label: speech.say('field.recovery_code'),
            autocomplete: 'off',
            hint: speech.say('second_factor.recovery_hint'),
          })}
          <button class="second">${speech.say('page.continue')}</button>
        </form>
      </details>
      <p class="aside"><a href="${root}${linkTo(carried.purpose)}">${speech.say('page.start_again')}</a></p>`,
  })
}
