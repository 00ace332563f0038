import { createHash } from 'node:crypto'
import type { Fact } from '@countersign/contracts'
import type { IntrospectResponse } from '@countersign/contracts/introspection'
import type { Shared } from '@countersign/leased-cache'
import { limits } from './limits.ts'
import type { Confirmation, Token } from './types.ts'

/** Frozen: the same object is given to everybody who asks. */
export const tokenOf = (response: IntrospectResponse, shared: Shared): Token =>
  Object.freeze({
    subject: shared.text(response.sub),
    clientId: shared.text(response.clientId),
    scopes: shared.words(response.scope),
    roles: shared.list(response.roles),
    attributes: attributesOf(response, shared),
    audience: shared.list(response.aud),
    issuer: shared.text(response.iss),
    expiresAt: response.exp,
    issuedAt: response.iat,
    id: response.jti,
    confirmation: confirmationOf(response),
    actors: response.actors.length === 0 ? nobody : shared.list(response.actors),
    isAnonymous: false,
  })

const nobody: readonly string[] = Object.freeze([])

/** Names are anybody's words: none of them shall find what every object has. */
const nothing: Token['attributes'] = Object.freeze(Object.create(null) as Record<string, string[]>)

function attributesOf({ attributes }: IntrospectResponse, shared: Shared): Token['attributes'] {
  if (attributes.length === 0) return nothing
  const byName = Object.create(null) as Record<string, readonly string[]>
  for (const { name, values } of attributes) byName[name] = values
  return shared.data(byName)
}

function confirmationOf({ cnf }: IntrospectResponse): Confirmation | undefined {
  if (!cnf?.jkt && !cnf?.x5tS256) return undefined
  const { jkt, x5tS256 } = cnf
  return Object.freeze({ ...(jkt !== '' && { jkt }), ...(x5tS256 !== '' && { x5tS256 }) })
}

/** The facts that would end an active answer about a token. */
export function factsAbout(token: string, { clientId, revokedBy }: IntrospectResponse): Fact[] {
  const facts: Fact[] = [
    { kind: 'token', id: createHash('sha256').update(token).digest('base64url') },
    { kind: 'client', id: clientId },
  ]
  if (!revokedBy) return facts
  const { grantId, sessionId, subject, also } = revokedBy
  for (const { kind, id } of also) facts.push({ kind: kind as Fact['kind'], id })
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
  roles: nobody,
  attributes: nothing,
  audience: nobody,
  issuer: '',
  expiresAt: Infinity,
  issuedAt: 0,
  id: '',
  confirmation: undefined,
  actors: nobody,
  isAnonymous: true,
})
