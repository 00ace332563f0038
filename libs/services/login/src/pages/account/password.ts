import { limits as accountLimits } from '@countersign/accounts'
import { html, type HttpAnswer } from '@countersign/chassis'
import { asTyped, field, newPasswordFields, section, type FieldMistakes } from '../pieces.ts'
import { actForm, framed, type Frame } from './frame.ts'

export interface PasswordChange {
  /** Empty for somebody who has no password here. */
  loginName: string
  hasPassword: boolean
  /** Milliseconds since the epoch; 0: nobody knows when. */
  changedAt: number
  leastCharacters: number
  /** Of `current_password`, `password` and `password_again`. */
  mistakes: FieldMistakes
}

/** Where one changes one's password. */
export function passwordPage(frame: Frame, change: PasswordChange): HttpAnswer {
  const { speech } = frame.paper
  const { hasPassword, changedAt } = change
  const body = hasPassword
    ? html`${changedAt !== 0 && html`<p>${speech.say('account.password.changed', { date: speech.date(changedAt) })}</p>`}
        <p>${speech.say('account.password.text')}</p>
        ${formOf(frame, change)}`
    : html`<p>${speech.say('account.password.none')}</p>`
  return framed(frame, { body: section('change', speech.say('choose.reset_button'), body) })
}

function formOf(frame: Frame, { loginName, leastCharacters, mistakes }: PasswordChange) {
  const { paper } = frame
  const { speech } = paper
  const isCurrentWrong = mistakes.current_password !== undefined
  const fields = html`${field({
    name: 'login_name',
    label: speech.say('field.login_name'),
    value: loginName,
    autocomplete: 'username',
    isReadOnly: true,
    attributes: asTyped,
  })}
  ${field({
    name: 'current_password',
    label: speech.say('account.field.current_password'),
    type: 'password',
    autocomplete: 'current-password',
    mistake: mistakes.current_password,
    most: accountLimits.passwordMostCharacters,
    isFocused: isCurrentWrong,
  })}
  ${newPasswordFields(paper, {
    least: leastCharacters,
    most: accountLimits.passwordMostCharacters,
    mistakes,
    labels: { password: speech.say('field.new_password'), again: speech.say('field.new_password_again') },
    isFocused: !isCurrentWrong && Object.keys(mistakes).length > 0,
  })}`
  return actForm(frame, { act: 'change', button: speech.say('choose.reset_button'), body: fields })
}
