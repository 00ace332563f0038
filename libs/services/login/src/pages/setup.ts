import { limits as accountLimits } from '@countersign/accounts'
import { html, type HttpAnswer } from '@countersign/chassis'
import { page, paths, ties, type Paper, type Ties } from './paper.ts'
import { asTyped, field, focusOf, lookAgain, newPasswordFields, type FieldMistakes } from './pieces.ts'

/** As the person filled it in. */
export interface SetupFields {
  loginName: string
  name: string
  email: string
}

export interface SetupOptions {
  ties: Ties
  /** Of the link; the form carries it. */
  token: string
  fields: SetupFields
  leastCharacters: number
  /** Of `login_name`, `name`, `email`, `password` and `password_again`. */
  mistakes?: FieldMistakes
}

const order = ['login_name', 'name', 'email', 'password', 'password_again'] as const

/** Makes the first account. */
export function setupPage(paper: Paper, options: SetupOptions): HttpAnswer {
  const { speech, root, look } = paper
  const { ties: carried, token, fields, leastCharacters, mistakes = {} } = options
  const { loginNameCharacters, claimCharacters, passwordMostCharacters } = accountLimits
  const focus = focusOf(order, mistakes)
  const about = (name: (typeof order)[number]) => ({ name, mistake: mistakes[name], isFocused: focus === name })
  const title = speech.say('setup.title', { product: look.name })
  return page(paper, Object.keys(mistakes).length > 0 ? 400 : 200, {
    title,
    formAction: "'self'",
    body: html`<h1>${title}</h1>
      <p class="lead">${speech.say('setup.text')}</p>
      ${lookAgain(paper, mistakes)}
      <form method="post" action="${root}${paths.setup}">
        ${ties(carried, { token })}
        ${field({
          ...about('login_name'),
          label: speech.say('field.login_name'),
          value: fields.loginName,
          autocomplete: 'username',
          most: loginNameCharacters,
          attributes: asTyped,
        })}
        ${field({
          ...about('name'),
          label: speech.say('field.name'),
          value: fields.name,
          autocomplete: 'name',
          most: claimCharacters,
          isOptional: true,
        })}
        ${field({
          ...about('email'),
          label: speech.say('field.email'),
          type: 'email',
          value: fields.email,
          autocomplete: 'email',
          most: claimCharacters,
          isOptional: true,
        })}
        ${newPasswordFields(paper, {
          least: leastCharacters,
          most: passwordMostCharacters,
          mistakes,
          labels: { password: speech.say('field.password'), again: speech.say('field.password_again') },
          isFocused: focus?.startsWith('password') ?? false,
        })}
        <button>${speech.say('setup.button')}</button>
      </form>`,
  })
}
