import type { Fact, Millis } from '@countersign/contracts'
import { TokenKind, type TokenRecord } from '@countersign/contracts/records'
import type { Client } from './client.ts'
import { fingerprintOf } from './format.ts'
import type { Held } from './records.ts'

/** RFC 7662 section 2.2, in seconds where that is in seconds. */
export type Introspection =
  | { readonly active: false }
  | {
      readonly active: true
      readonly scope: string
      readonly clientId: string
      readonly sub: string
      readonly aud: readonly string[]
      readonly exp: number
      readonly iat: number
      readonly jti: string
    }

export const inactive: Introspection = Object.freeze({ active: false })

const seconds = (time: Millis): number => Math.floor(time / 1_000)

/** The one function that decides whether a token is good: on introspection, and on every path that takes one. Absence never means allowed. */
export function isLive({ token, grant, client, subject, session }: Held, now: Millis): boolean {
  if (!grant || !client) return false
  if (token.record.expiresAt <= now || token.record.revokedAt !== 0) return false
  if (grant.record.revokedAt !== 0) return false
  if (client.record.disabledAt !== 0 || client.record.epoch !== token.record.clientEpoch) return false
  if (grant.record.subject !== '') {
    // A person's grant: "sign out everywhere" moves the subject's epoch on.
    if (!subject || subject.record.disabledAt !== 0 || subject.record.epoch !== token.record.subjectEpoch) return false
  }
  if (grant.record.sessionId !== '') {
    if (!session || session.record.endedAt !== 0) return false
  }
  return true
}

/** A caller sees a token only if one of its resources is in the token's audience, or if it may see every token. */
export function maySee({ introspects }: Client, audience: TokenRecord['audience']): boolean {
  return introspects === 'every' || audience.some((each) => introspects.has(each))
}

/** What a resource server is presented with; a refresh token or a code is none of its business. */
const forResourceServers: ReadonlySet<number> = new Set([TokenKind.ACCESS_TOKEN, TokenKind.API_TOKEN])

/** What a resource server may hear of a token at most, whoever it is: see {@link maySee}. */
export function describe(held: Held, digest: string, now: Millis): Introspection {
  const { token, grant } = held
  if (!grant || !forResourceServers.has(token.record.kind) || !isLive(held, now)) return inactive
  return {
    active: true,
    scope: token.record.scope,
    clientId: grant.record.clientId,
    sub: grant.record.subject || grant.record.clientId,
    aud: token.record.audience,
    exp: seconds(token.record.expiresAt),
    iat: seconds(token.record.issuedAt),
    jti: fingerprintOf(digest),
  }
}

/**
 * Decides RFC 7662's answer for a caller.
 * @param digest the token's, from its parsed form
 */
export function introspect(held: Held, digest: string, caller: Client, now: Millis): Introspection {
  return maySee(caller, held.token.record.audience) ? describe(held, digest, now) : inactive
}

/** The facts that would end what is held of a token. */
export function revokedBy({ grant }: Held, digest: string): Fact[] {
  const facts: Fact[] = [{ kind: 'token', id: digest }]
  if (!grant) return facts
  const { id, clientId, subject, sessionId } = grant.record
  facts.push({ kind: 'grant', id }, { kind: 'client', id: clientId })
  if (subject !== '') facts.push({ kind: 'subject', id: subject })
  if (sessionId !== '') facts.push({ kind: 'session', id: sessionId })
  return facts
}
