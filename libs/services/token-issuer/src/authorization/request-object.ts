import { compactVerify, decodeProtectedHeader, type CompactVerifyGetKey } from 'jose'
import { Failure, type Millis } from '@countersign/contracts'
import {
  checkAuthorizationRequest,
  type CheckedRequest,
  type Client,
  type KeySource,
  proofAlgorithms,
} from '@countersign/tokens'
import { limits } from '../limits.ts'

export interface RequestObjectsOptions {
  issuer: string
  /** `refused`: RFC 9101 is off. */
  mode: 'refused' | 'signed'
  keysOf: (client: Client) => KeySource | undefined
  now: () => Millis
}

/** Requests that the client signed (RFC 9101): what is in the object counts, and nothing else. */
export class RequestObjects {
  readonly #options: RequestObjectsOptions

  constructor(options: RequestObjectsOptions) {
    this.#options = options
  }

  async check(client: Client, given: ReadonlyMap<string, string>, mustBePushed: boolean): Promise<CheckedRequest> {
    if (mustBePushed || this.#isPlain(given)) return checkAuthorizationRequest(client, given, mustBePushed)
    try {
      return checkAuthorizationRequest(client, await this.parametersOf(client, given), false)
    } catch (thrown) {
      if (!(thrown instanceof Failure) || thrown.code !== 'invalid_request') throw thrown
      // The redirect is the one beside the object, if that is registered: else the person is told.
      const bare = checkAuthorizationRequest(client, without(given, 'request'), true)
      if (!('refused' in bare)) throw thrown
      return { refused: { ...bare.refused, error: 'invalid_request_object', description: thrown.message } }
    }
  }

  /** @throws Failure `invalid_request` for an object that is not good */
  async parametersOf(client: Client, given: ReadonlyMap<string, string>): Promise<ReadonlyMap<string, string>> {
    if (this.#isPlain(given)) return given
    const claims = await this.#verified(client, given.get('request')!)
    const parameters = new Map<string, string>()
    for (const [name, value] of Object.entries(claims)) {
      if (ownClaims.has(name) || value === null || value === undefined) continue
      parameters.set(
        name,
        typeof value === 'string' ? value : Array.isArray(value) ? value.join(' ') : JSON.stringify(value),
      )
    }
    if (parameters.has('request') || parameters.has('request_uri')) throw notGood('it holds another request')
    if (parameters.get('client_id') !== client.id) throw notGood('its client_id is not the client')
    return parameters
  }

  #isPlain(given: ReadonlyMap<string, string>): boolean {
    return this.#options.mode === 'refused' || !given.has('request')
  }

  async #verified(client: Client, request: string): Promise<Record<string, unknown>> {
    const { issuer, keysOf, now } = this.#options
    const keys = keysOf(client)
    if (!keys) throw notGood('the client has no keys registered')
    if (request.length > limits.requestObjectCharacters) throw notGood('it is too long')
    try {
      const { typ } = decodeProtectedHeader(request)
      if (typ !== undefined && !/^(jwt|oauth-authz-req\+jwt)$/i.test(typ)) throw notGood('its typ is another')
      const { payload } = await compactVerify(request, keys.key as CompactVerifyGetKey, {
        algorithms: [...proofAlgorithms],
      })
      const claims = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload)) as Record<string, unknown>
      const audience = [claims.aud].flat()
      if (claims.iss !== client.id) throw notGood('its iss is not the client')
      if (!audience.includes(issuer)) throw notGood('its aud is not this issuer')
      const seconds = now() / 1_000
      if (claims.exp !== undefined && !(typeof claims.exp === 'number' && claims.exp > seconds))
        throw notGood('it is expired')
      if (claims.nbf !== undefined && !(typeof claims.nbf === 'number' && claims.nbf <= seconds + limits.skewSeconds)) {
        throw notGood('it is not good yet')
      }
      return claims
    } catch (thrown) {
      if (thrown instanceof Failure) throw thrown
      throw notGood('its signature is not the client’s', thrown)
    }
  }
}

const notGood = (why: string, cause?: unknown): Failure =>
  new Failure('invalid_request', `the request object is not good: ${why} (RFC 9101)`, { cause })

const ownClaims = new Set(['iss', 'aud', 'exp', 'nbf', 'iat', 'jti', 'sub'])

const without = (given: ReadonlyMap<string, string>, name: string): ReadonlyMap<string, string> =>
  new Map([...given].filter(([each]) => each !== name))
