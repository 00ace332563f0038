import { limits, type PasswordOwner, type PasswordPolicy } from '@countersign/accounts'
import type { FieldMistakes } from '../pages/index.ts'
import type { Visit } from '../visit.ts'

const keys = {
  too_short: 'mistake.password_short',
  too_long: 'mistake.password_long',
  is_own_name: 'mistake.password_own_name',
  too_common: 'mistake.password_common',
} as const

/** What is wrong with a new password, as `password` and `password_again` of the form have it. */
export async function passwordMistakes(
  visit: Visit,
  policy: PasswordPolicy,
  owner: PasswordOwner,
): Promise<FieldMistakes> {
  const { speech } = visit.paper()
  const password = visit.form.get('password') ?? ''
  const unfit = await policy.mistake(password, owner)
  const bounds = { least: policy.leastCharacters, most: limits.passwordMostCharacters }
  return {
    ...(unfit && { password: speech.say(keys[unfit], bounds) }),
    ...(password !== (visit.form.get('password_again') ?? '') && {
      password_again: speech.say('mistake.password_again'),
    }),
  }
}
