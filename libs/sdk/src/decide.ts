import type { Requirements, Token, Verification } from './types.ts'

export const notActive: Verification = Object.freeze({
  ok: false,
  error: 'invalid_token',
  description: 'the token is unknown, expired, revoked, or not meant for this service',
})

/** Whether an active token is good for what is required. */
export function decide(token: Token, { scopes, roles, audience }: Requirements): Verification {
  if (audience !== undefined && !token.audience.includes(audience)) return notActive
  const scope = scopes?.find((each) => !token.scopes.has(each))
  if (scope !== undefined) return insufficient(token, `the token lacks the scope ${scope}`)
  const role = roles?.find((each) => !token.roles.includes(each))
  if (role !== undefined) return insufficient(token, `the role ${role} is needed`)
  return { ok: true, token }
}

const insufficient = (token: Token, description: string): Verification => ({
  ok: false,
  error: 'insufficient_scope',
  description,
  token,
})
