import { html, type HttpAnswer } from '@countersign/chassis'
import { limits } from '../limits.ts'
import { headersOf, page, paths, ties, type Mistake, type Paper, type Ties } from './paper.ts'
import { alert, field } from './pieces.ts'

const half = 'X'.repeat(limits.userCodeLetters / 2)

/** @param typed the code as the person typed it, when the page is shown again */
export function devicePage(
  paper: Paper,
  { ties: carried, typed = '', mistake }: { ties: Ties; typed?: string; mistake?: Mistake },
): HttpAnswer {
  const { speech, root } = paper
  return page(paper, mistake?.status ?? 200, {
    title: speech.say('device.title'),
    formAction: "'self'",
    headers: headersOf(mistake),
    body: html`<h1>${speech.say('device.title')}</h1>
      <p class="lead">${speech.say('device.text')}</p>
      ${alert(mistake?.message)}
      <form method="post" action="${root}${paths.device}">
        ${ties(carried)}
        ${field({
          name: 'user_code',
          label: speech.say('field.code'),
          value: typed,
          autocomplete: 'off',
          className: 'code letters',
          isAlertAbout: mistake !== undefined,
          isFocused: true,
          attributes: html` placeholder="${half}-${half}" autocapitalize="characters" spellcheck="false"`,
        })}
        <button>${speech.say('page.continue')}</button>
      </form>`,
  })
}
