import { asFailure, Failure } from '@countersign/contracts'
import type { ReplayGuard } from '@countersign/tokens'
import type { Purpose } from '../errand.ts'
import { limits } from '../limits.ts'
import type { UpstreamPerson } from '../upstream/flow.ts'
import type { Upstreams } from '../upstream/upstreams.ts'
import { redirectTo, type Visit } from '../visit.ts'

/** What a person takes to a provider and back, sealed as `state`. */
interface Journey {
  provider: string
  purpose: Purpose
  nonce: string
  codeVerifier: string
  /** They are signed in, and add an identity: the session that they do so in. */
  linking?: string
}

export interface Returned {
  person: UpstreamPerson
  purpose: Purpose
  /** The session that the identity is to be added in; undefined: they sign in. */
  linking: string | undefined
}

export interface UpstreamVisitsOptions {
  upstreams: Upstreams
  /** Nobody comes back twice with one state. */
  replay: ReplayGuard
  issuer: string
  randomBytes: (bytes: number) => Uint8Array
}

/** The way of a browser to a provider, and back. */
export class UpstreamVisits {
  readonly #options: UpstreamVisitsOptions

  constructor(options: UpstreamVisitsOptions) {
    this.#options = options
  }

  /** Sends the browser to a provider. @throws Failure `not_found`, `unavailable`, `too_many_requests` */
  async begin(visit: Visit, provider: string, purpose: Purpose, wishes: Wishes = {}) {
    const { upstreams, randomBytes } = this.#options
    if (!upstreams.has(provider)) throw new Failure('not_found', 'there is no such provider')
    const random = () => Buffer.from(randomBytes(limits.cookieBytes)).toString('base64url')
    const { linking, ...rest } = wishes
    const journey: Journey = { provider, purpose, nonce: random(), codeVerifier: random(), ...(linking && { linking }) }
    const { nonce, codeVerifier } = journey
    const state = visit.ticket('upstream', journey, limits.upstreamMs)
    const redirectUri = this.#redirectUri(provider)
    return redirectTo(String(await upstreams.begin(provider, { redirectUri, state, nonce, codeVerifier, ...rest })))
  }

  /** What the browser was sent for; undefined when it was not sent from here, or is not the one that was. */
  purposeOf(visit: Visit): Purpose {
    return visit.opened<Journey>('upstream', visit.query.get('state') ?? '')?.content.purpose
  }

  /**
   * Whoever comes back, or why the provider does not say. Nothing is asked of it unless this browser was sent to it, and is back
   * for the first time.
   * @throws Failure `invalid_request`
   */
  async finish(visit: Visit): Promise<Returned | { failure: Failure }> {
    const { upstreams, replay } = this.#options
    const provider = visit.parameter('provider')
    const state = visit.query.get('state') ?? ''
    const ticket = visit.opened<Journey>('upstream', state)
    const isForeign = !upstreams.has(provider) || ticket?.content.provider !== provider
    if (!ticket || isForeign || !(await replay.once('ticket', ticket.id, ticket.expiresAt))) {
      throw new Failure(
        'invalid_request',
        'this way back from the provider is not open in this browser, or not any more; start again',
      )
    }
    const { purpose, nonce, codeVerifier, linking } = ticket.content
    const redirectUri = this.#redirectUri(provider)
    const given = { callback: visit.url, redirectUri, state, nonce, codeVerifier }
    try {
      return { person: await upstreams.finish(provider, given), purpose, linking }
    } catch (thrown) {
      return { failure: asFailure(thrown) }
    }
  }

  #redirectUri(provider: string): string {
    return `${this.#options.issuer}/login/callback/${provider}`
  }
}

export interface Wishes {
  loginHint?: string
  /** OpenID Connect Core section 3.1.2.1. */
  prompt?: string
  uiLocales?: string
  linking?: string
}
