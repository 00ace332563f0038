import { hash, type KeyObject } from 'node:crypto'
import { calculateJwkThumbprint, errors, importJWK, type CryptoKey, type JWK } from 'jose'
import { Failure, type Millis } from '@countersign/contracts'
import { limits } from '../limits.ts'
import { dateOf, isSignedBy, readJws, type UnverifiedJws } from './jws.ts'
import { createNonces } from './nonces.ts'
import type { ReplayGuard } from './replay.ts'

/** A request that may carry a DPoP proof. */
export interface DpopRequest {
  /** The values of all its DPoP headers. */
  readonly proofs: readonly string[]
  readonly method: string
  /** As its sender sees it: issuer and path. A query does not matter. */
  readonly url: string
  /** The token that the proof goes with; then `ath` must name it. */
  readonly accessToken?: string | undefined
  /** The thumbprint of the key that the token, code or grant is bound to. */
  readonly boundTo?: string | undefined
}

export interface Dpop {
  /**
   * The thumbprint of the key that the sender has (RFC 9449 section 4.3); undefined when there is no proof.
   * @throws Failure `invalid_dpop_proof`; `use_dpop_nonce` with a `DPoP-Nonce` header; `unavailable` when the store cannot
   * tell whether the proof was used
   */
  check(request: DpopRequest): Promise<{ jkt: string } | undefined>
  /** The nonce to send along as `DPoP-Nonce` (section 8.2); undefined when none are asked for. */
  nonce(): string | undefined
}

export interface DpopOptions {
  readonly replay: ReplayGuard
  readonly now: () => Millis
  /** Asks for nonces where `required`; else takes good ones, and does without. */
  readonly nonces?: { readonly key: KeyObject; readonly required: boolean } | undefined
}

/** `jkt`: the RFC 7638 SHA-256 thumbprint. @throws TypeError, JOSEError for what is no key */
export const jktOf = (jwk: JWK): Promise<string> => calculateJwkThumbprint(jwk)

const refused = (why: string) => new Failure('invalid_dpop_proof', why)

export function createDpop({ replay, now, nonces: asked }: DpopOptions): Dpop {
  const nonces = asked && createNonces(asked.key, now)

  function checkNonce(nonce: unknown): void {
    if (!nonces || (nonce === undefined && !asked?.required)) return
    if (typeof nonce === 'string' && nonces.isGood(nonce)) return
    const headers = { 'dpop-nonce': nonces.current() }
    throw new Failure('use_dpop_nonce', 'the DPoP proof needs the nonce in this answer', { headers })
  }

  return {
    nonce: () => (asked?.required ? nonces?.current() : undefined),

    async check(request) {
      const { proofs, boundTo } = request
      if (proofs.length === 0) return undefined
      if (proofs.length > 1) throw refused('one DPoP header, not several')
      const proof = proofs[0]!
      const jws = readJws(proof, limits.dpopProofCharacters)
      if (jws?.header.typ !== 'dpop+jwt') throw refused('the DPoP header holds no JWT of type dpop+jwt')
      checkClaims(jws.payload, request)
      const made = dateOf(jws.payload.iat)
      if (made === undefined) throw refused('iat of the DPoP proof must be a number')
      const jkt = await verifiedKey(proof, jws.header)
      if (boundTo !== undefined && jkt !== boundTo) throw refused('the DPoP proof is by another key')
      checkNonce(jws.payload.nonce)
      const at = now()
      const isTimely = made >= at - limits.dpopProofAgeMs && made <= at + limits.dpopProofAheadMs
      if (!isTimely) throw refused('the DPoP proof was not made just now: look at iat and the clock')
      const isFirst = await replay.once('dpop', `${jkt} ${jws.payload.jti}`, Math.ceil(made + limits.dpopProofAgeMs))
      if (!isFirst) throw refused('the DPoP proof was used before')
      return { jkt }
    },
  }
}

function checkClaims({ jti, htm, htu, ath }: UnverifiedJws['payload'], request: DpopRequest): void {
  const { method, url, accessToken } = request
  if (typeof jti !== 'string' || jti === '') throw refused('the DPoP proof needs a jti')
  if (htm !== method) throw refused('htm of the DPoP proof is not the method of this request')
  const target = typeof htu === 'string' ? targetOf(htu) : undefined
  if (target === undefined || target !== targetOf(url)) {
    throw refused('htu of the DPoP proof is not the URL of this request')
  }
  if (accessToken !== undefined && ath !== hash('sha256', accessToken, 'base64url')) {
    throw refused('ath of the DPoP proof does not name the access token')
  }
}

/** RFC 9449 section 4.3, step 9: without query and fragment, normalised by syntax and scheme (RFC 3986 section 6.2). */
function targetOf(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined
  const { origin, pathname, username, password } = new URL(text)
  if (username !== '' || password !== '' || origin === 'null') return undefined
  const unreserved = (encoded: string) => {
    const character = String.fromCharCode(parseInt(encoded.slice(1), 16))
    return /[\w.~-]/.test(character) ? character : encoded.toUpperCase()
  }
  return origin + pathname.replace(/%[0-9a-f]{2}/gi, unreserved)
}

const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv']

/** The thumbprint of the key in the header, which signed the proof. */
async function verifiedKey(proof: string, { jwk, alg }: UnverifiedJws['header']): Promise<string> {
  if (typeof jwk !== 'object' || jwk === null) throw refused('the DPoP proof needs a public key')
  if (privateMembers.some((member) => member in jwk)) throw refused('the DPoP proof brings a private key')
  const { kty, crv, x, y, n, e } = jwk as JWK
  const members = Object.entries({ kty, crv, x, y, n, e }).filter(([, value]) => value !== undefined)
  const key = Object.fromEntries(members) as JWK
  try {
    const imported = (await importJWK(key, alg as string)) as CryptoKey
    if (await isSignedBy(proof, imported)) return await jktOf(key)
  } catch (thrown) {
    const isKeyless =
      thrown instanceof errors.JOSEError || thrown instanceof TypeError || thrown instanceof DOMException
    if (!isKeyless) throw thrown
  }
  throw refused('the signature of the DPoP proof is not by its key')
}
