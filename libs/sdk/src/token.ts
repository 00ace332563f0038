import { createHash } from 'node:crypto'
import type { Fact } from '@countersign/contracts'
import type { IntrospectResponse } from '@countersign/contracts/introspection'
import { limits } from './limits.ts'
import type { Token } from './types.ts'

/** Keeps one copy of what many answers hold: scopes, audiences, issuers, clients. */
export class Shared {
  readonly #texts = new Map<string, string>()
  readonly #scopes = new Map<string, ReadonlySet<string>>()
  readonly #lists = new Map<string, readonly string[]>()

  text(text: string): string {
    return this.#one(this.#texts, text, () => text)
  }

  scopes(scope: string): ReadonlySet<string> {
    return this.#one(this.#scopes, scope, () => new Set(scope === '' ? [] : scope.split(' ')))
  }

  list(list: readonly string[]): readonly string[] {
    return this.#one(this.#lists, JSON.stringify(list), () => Object.freeze([...list]))
  }

  #one<T>(known: Map<string, T>, key: string, make: () => T): T {
    const found = known.get(key)
    if (found !== undefined) return found
    if (known.size >= limits.sharedTexts) known.clear()
    const made = make()
    known.set(key, made)
    return made
  }
}

/** Frozen: the same object is given to everybody who asks. */
export const tokenOf = (response: IntrospectResponse, shared: Shared): Token =>
  Object.freeze({
    subject: shared.text(response.sub),
    clientId: shared.text(response.clientId),
    scopes: shared.scopes(response.scope),
    roles: shared.list(response.roles),
    audience: shared.list(response.aud),
    issuer: shared.text(response.iss),
    expiresAt: response.exp,
    issuedAt: response.iat,
    id: response.jti,
    isAnonymous: false,
  })

/** The facts that would end an active answer about a token. */
export function factsAbout(token: string, { clientId, revokedBy }: IntrospectResponse): Fact[] {
  const facts: Fact[] = [
    { kind: 'token', id: createHash('sha256').update(token).digest('base64url') },
    { kind: 'client', id: clientId },
  ]
  if (!revokedBy) return facts
  const { grantId, sessionId, subject } = revokedBy
  facts.push({ kind: 'grant', id: grantId })
  if (sessionId !== '') facts.push({ kind: 'session', id: sessionId })
  if (subject !== '') facts.push({ kind: 'subject', id: subject })
  return facts
}

/** RFC 6750 section 2.1 (b64token), no longer than what is asked about. */
export const isTokenShaped = (token: unknown): boolean =>
  typeof token === 'string' && token.length <= limits.tokenCharacters && /^[A-Za-z0-9\-._~+/]+=*$/.test(token)

/** What is let through while authentication is off. */
export const anonymous: Token = Object.freeze({
  subject: 'anonymous',
  clientId: '',
  scopes: new Set<string>(),
  roles: Object.freeze([]),
  audience: Object.freeze([]),
  issuer: '',
  expiresAt: Infinity,
  issuedAt: 0,
  id: '',
  isAnonymous: true,
})
