import { hash, timingSafeEqual } from 'node:crypto'
import type { RegistrationSettings } from './definition.ts'

const digestOf = (token: string): Buffer => hash('sha256', token, 'buffer')

/** Which of the initial access tokens it is; undefined: none. It takes as long whichever it is. */
export function whichToken(
  tokens: RegistrationSettings['initialAccessTokens'],
  presented: string | undefined,
): number | undefined {
  if (presented === undefined) return undefined
  const digest = digestOf(presented)
  const matches = tokens.map((token) => timingSafeEqual(digestOf(token.reveal()), digest))
  const which = matches.indexOf(true)
  return which < 0 ? undefined : which
}
