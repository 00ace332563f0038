import { remoteUrl, type Reach } from '@countersign/chassis'
import type { Millis } from '@countersign/contracts'
import { objectOf, type Members } from './answer.ts'
import type { Line } from './line.ts'
import { limits } from './limits.ts'
import { silent } from './trouble.ts'

/** What is used of a discovery document (OpenID Connect Discovery 1.0 section 3). */
export interface Metadata {
  readonly issuer: string
  readonly authorization_endpoint: string
  readonly token_endpoint: string
  readonly jwks_uri: string
  readonly userinfo_endpoint?: string
  readonly end_session_endpoint?: string
  readonly token_endpoint_auth_methods_supported?: string[]
  /** RFC 9207 section 3. */
  readonly authorization_response_iss_parameter_supported?: boolean
}

const needed = ['authorization_endpoint', 'token_endpoint', 'jwks_uri'] as const
const offered = ['userinfo_endpoint', 'end_session_endpoint'] as const

const isText = (value: unknown): value is string => typeof value === 'string'

/** URLs that browsers are sent to, or that are asked: https, or this machine where that is allowed. */
function endpoints(document: Members, names: readonly string[], reach: Reach, line: Line): Record<string, string> {
  const found = names.flatMap((name) => {
    const value = document[name]
    if (typeof value !== 'string') return []
    try {
      return [[name, remoteUrl(value, reach).href]]
    } catch {
      throw silent(line.name, new Error(`the discovery document has a ${name} that may not be used`))
    }
  })
  return Object.fromEntries(found) as Record<string, string>
}

function metadataOf(document: Members, issuer: string, reach: Reach, line: Line): Metadata {
  // Or one issuer could speak for another (section 4.3).
  if (document.issuer !== issuer) throw silent(line.name, new Error('the discovery document is of another issuer'))
  const urls = endpoints(document, [...needed, ...offered], reach, line)
  const missing = needed.find((name) => urls[name] === undefined)
  if (missing) throw silent(line.name, new Error(`the discovery document has no ${missing}`))
  const methods = document.token_endpoint_auth_methods_supported
  return {
    ...(urls as unknown as Metadata),
    issuer,
    ...(Array.isArray(methods) && { token_endpoint_auth_methods_supported: methods.filter(isText) }),
    authorization_response_iss_parameter_supported: document.authorization_response_iss_parameter_supported === true,
  }
}

export interface DiscoveryOptions {
  readonly issuer: string
  readonly reach: { readonly allowLoopback: boolean }
  readonly line: Line
  readonly now: () => Millis
}

/** An issuer's discovery document: asked for when it is first needed, and again when it is old. */
export class Discovery {
  readonly #options: DiscoveryOptions
  #known: Metadata | undefined
  #goodUntil = -Infinity
  #askedAt = -Infinity
  #asking: Promise<Metadata> | undefined

  constructor(options: DiscoveryOptions) {
    this.#options = options
  }

  /**
   * One request at a time; whoever asks meanwhile waits for its answer. An old document is better than none.
   * @throws Failure `unavailable`
   */
  async current(): Promise<Metadata> {
    const known = this.#known
    const now = this.#options.now()
    // A clock that was set back makes everything old.
    if (known && now < this.#goodUntil && now >= this.#askedAt) return known
    this.#asking ??= this.#ask(now).finally(() => (this.#asking = undefined))
    return known ? this.#asking.catch(() => known) : this.#asking
  }

  async #ask(now: Millis): Promise<Metadata> {
    const { issuer, reach, line } = this.#options
    this.#askedAt = now
    this.#goodUntil = now + limits.failedDiscoveryMs
    const metadata = await line.attempt(async () => {
      const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
      const document = objectOf(await line.json(url), line.name)
      return metadataOf(document, issuer, { ...reach, allowPrivate: true }, line)
    })
    this.#goodUntil = now + limits.discoveryMs
    this.#known = metadata
    return metadata
  }
}
