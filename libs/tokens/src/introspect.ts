import type { Fact, Millis } from '@countersign/contracts'
import { TokenKind, type GrantRecord, type TokenRecord } from '@countersign/contracts/records'
import type { Client } from './client.ts'
import { fingerprintOf } from './format.ts'
import { standingOf, type Standing } from './standing.ts'
import { clientIn, ownerOf, type Held } from './records.ts'

/** RFC 7662 section 2.2, in seconds where that is in seconds. */
export type Introspection =
  | { readonly active: false }
  | ({
      readonly active: true
      readonly scope: string
      readonly clientId: string
      readonly sub: string
      readonly aud: readonly string[]
      readonly exp: number
      readonly iat: number
      readonly jti: string
      /** What its bearer must prove to hold; undefined: nothing. */
      readonly confirmation: { readonly jkt: string; readonly x5tS256: string } | undefined
      /** Who acts for the subject, whoever acts now first (RFC 8693 section 4.1). */
      readonly actors: readonly string[]
    } & Standing)

export const inactive: Introspection = Object.freeze({ active: false })

const seconds = (time: Millis): number => Math.floor(time / 1_000)

/** The one function that decides whether a token is good: on introspection, and on every path that takes one. Absence never means allowed. */
export function isLive(held: Held, now: Millis): boolean {
  const { token, grant, subject, session, ancestors } = held
  if (!grant || grant.record.revokedAt !== 0) return false
  if (token.record.expiresAt <= now || !isUnrevoked(held, token.record)) return false
  // A token made from another is good while that is; it never lives longer.
  for (const digest of token.record.ancestors) {
    const ancestor = ancestors?.get(digest)
    if (!ancestor || !isUnrevoked(held, ancestor.record)) return false
  }
  if (grant.record.subject !== '') {
    // A person's grant: "sign out everywhere" moves the subject's epoch on.
    if (!subject || subject.record.disabledAt !== 0 || subject.record.epoch !== token.record.subjectEpoch) return false
  }
  if (grant.record.sessionId !== '') {
    if (!session || session.record.endedAt !== 0) return false
  }
  return true
}

function isUnrevoked(held: Held, token: TokenRecord): boolean {
  const client = clientIn(held, ownerOf(token, held.grant!.record))
  return client?.record.disabledAt === 0 && client.record.epoch === token.clientEpoch && token.revokedAt === 0
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
    clientId: ownerOf(token.record, grant.record),
    sub: toldSubject(grant.record),
    aud: token.record.audience,
    exp: seconds(token.record.expiresAt),
    iat: seconds(token.record.issuedAt),
    jti: fingerprintOf(digest),
    confirmation: token.record.confirmation,
    actors: token.record.actors,
    ...standingOf(held.subject?.record, grant.record.provider),
  }
}

/** `sub` as whoever has the token may know it. */
export const toldSubject = ({ toldSubject: told, subject, clientId }: GrantRecord): string =>
  told || subject || clientId

/**
 * Decides RFC 7662's answer for a caller.
 * @param digest the token's, from its parsed form
 */
export function introspect(held: Held, digest: string, caller: Client, now: Millis): Introspection {
  return maySee(caller, held.token.record.audience) ? describe(held, digest, now) : inactive
}

/** The facts that would end what is held of a token. */
export function revokedBy({ grant, token, ancestors }: Held, digest: string): Fact[] {
  const facts: Fact[] = [{ kind: 'token', id: digest }]
  for (const id of token.record.ancestors) facts.push({ kind: 'token', id })
  if (!grant) return facts
  for (const { record } of [token, ...(ancestors?.values() ?? [])]) {
    if (record.clientId !== '') facts.push({ kind: 'client', id: record.clientId })
  }
  const { id, clientId, subject, sessionId } = grant.record
  facts.push({ kind: 'grant', id }, { kind: 'client', id: clientId })
  if (subject !== '') facts.push({ kind: 'subject', id: subject })
  if (sessionId !== '') facts.push({ kind: 'session', id: sessionId })
  return facts
}
