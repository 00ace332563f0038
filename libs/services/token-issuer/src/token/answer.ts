import { hash } from 'node:crypto'
import type { Millis } from '@countersign/contracts'
import type { GrantRecord } from '@countersign/contracts/records'
import {
  limits as tokenLimits,
  scopesOf,
  toldSubject,
  type AccessToken,
  type Client,
  type SigningAlgorithm,
  type Standing,
} from '@countersign/tokens'
import type { KeyRing } from '@countersign/tokens/keys'
import { standingClaims, type People } from '../people.ts'
import type { Given } from './request.ts'

export interface TokenAnswersOptions {
  issuer: string
  keyRing: Pick<KeyRing, 'sign'>
  people: People
  idTokenLifetimeMs: Millis
  now: () => Millis
}

/** Turns what was granted into the token endpoint's answer (RFC 6749 section 5.1, OpenID Connect Core section 3.1.3.3). */
export interface TokenAnswers {
  of(given: Given, client: Client): Promise<Record<string, unknown>>
}

const nothing: Standing = { roles: [], attributes: [] }

const seconds = (time: Millis): number => Math.floor(time / 1_000)

export function createTokenAnswers(options: TokenAnswersOptions): TokenAnswers {
  const { issuer, keyRing, people, idTokenLifetimeMs, now } = options

  /** What makes it longer than a token may be is left out: whoever needs that asks (RFC 7662). */
  async function signAccessToken(access: AccessToken): Promise<string> {
    const { roles, attributes } = access.terms.standing ?? nothing
    const whole = await signWith(access, { roles, attributes })
    if (whole.length <= tokenLimits.tokenCharacters) return whole
    const shorter = await signWith(access, { roles, attributes: [] })
    return shorter.length <= tokenLimits.tokenCharacters ? shorter : signWith(access, nothing)
  }

  const signWith = (access: AccessToken, standing: Standing): Promise<string> =>
    keyRing.sign(accessTokenClaims(access, standing, issuer), {
      alg: access.terms.client.idTokenAlgorithm,
      typ: 'at+jwt',
    })

  async function signIdToken(given: Given & { grant: GrantRecord }, client: Client, token: string): Promise<string> {
    const { grant, nonce, code, access } = given
    const at = now()
    const requested = grant.claims === '' ? {} : await people.idTokenClaims(access.terms.partition, grant)
    const alg = client.idTokenAlgorithm
    const claims = {
      ...requested,
      iss: issuer,
      sub: toldSubject(grant),
      aud: client.id,
      iat: seconds(at),
      exp: seconds(at + idTokenLifetimeMs),
      ...authenticationClaims(grant),
      ...idTokenStanding(access),
      ...(grant.browserSessionId !== '' && { sid: grant.browserSessionId }),
      ...(nonce !== undefined && nonce !== '' && { nonce }),
      at_hash: halfHash(token, alg),
      ...(code !== undefined && { c_hash: halfHash(code, alg) }),
    }
    return keyRing.sign(claims, { alg, typ: 'JWT' })
  }

  return {
    async of(given, client) {
      const { access, refreshToken, grant, issuedTokenType } = given
      const { record } = access
      const token = access.opaque ?? (await signAccessToken(access))
      const hasIdToken = grant !== undefined && grant.subject !== '' && scopesOf(record.scope).includes('openid')
      const idToken = hasIdToken ? await signIdToken({ ...given, grant }, client, token) : undefined
      return {
        access_token: token,
        ...(issuedTokenType !== undefined && { issued_token_type: issuedTokenType }),
        token_type: record.confirmation?.jkt ? 'DPoP' : 'Bearer',
        expires_in: Math.max(0, Math.round((record.expiresAt - now()) / 1_000)),
        ...(refreshToken !== undefined && { refresh_token: refreshToken }),
        ...(idToken !== undefined && { id_token: idToken }),
        ...(record.scope !== '' && { scope: record.scope }),
      }
    },
  }
}

/** RFC 9068 section 2.2. */
function accessTokenClaims({ digest, record, terms }: AccessToken, standing: Standing, issuer: string) {
  const { grant, client } = terms
  const { audience, confirmation, actors } = record
  return {
    iss: issuer,
    sub: toldSubject(grant),
    aud: audience.length === 0 ? issuer : audience.length === 1 ? audience[0]! : audience,
    client_id: client.id,
    iat: seconds(record.issuedAt),
    exp: seconds(record.expiresAt),
    jti: digest,
    ...(record.scope !== '' && { scope: record.scope }),
    ...authenticationClaims(grant),
    ...(confirmation && { cnf: confirmationClaim(confirmation) }),
    ...(actors.length > 0 && { act: actClaim(actors) }),
    ...standingClaims(standing),
  }
}

/** Of who was granted the scope for it. */
const idTokenStanding = ({ record, terms }: AccessToken) =>
  scopesOf(record.scope).includes('roles') ? standingClaims(terms.standing ?? nothing) : {}

const authenticationClaims = ({ authenticatedAt, acr, amr }: GrantRecord) => ({
  ...(authenticatedAt !== 0 && { auth_time: seconds(authenticatedAt) }),
  ...(acr !== '' && { acr }),
  ...(amr.length > 0 && { amr }),
})

/** RFC 7800 section 3.1. */
const confirmationClaim = ({ jkt, x5tS256 }: { jkt: string; x5tS256: string }) => ({
  ...(jkt !== '' && { jkt }),
  ...(x5tS256 !== '' && { 'x5t#S256': x5tS256 }),
})

/** RFC 8693 section 4.1: who acts now is outermost. */
const actClaim = (actors: readonly string[]): object =>
  actors.toReversed().reduce<object | undefined>((act, sub) => ({ sub, ...(act && { act }) }), undefined)!

/** OpenID Connect Core section 3.1.3.6: the left half of the hash that the algorithm signs; EdDSA's is SHA-512. */
function halfHash(token: string, alg: SigningAlgorithm): string {
  const digest = hash(alg === 'EdDSA' ? 'sha512' : 'sha256', token, 'buffer')
  return digest.subarray(0, digest.length / 2).toString('base64url')
}
