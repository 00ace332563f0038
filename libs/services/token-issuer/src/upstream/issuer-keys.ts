import { Failure, type Millis } from '@countersign/contracts'
import type { KeySource } from '@countersign/tokens'
import { limits } from '../limits.ts'

export interface IssuerKeysOptions {
  /** A JSON document at a URL, fetched within bounds; throws Failure. */
  readonly fetchJson: (url: string) => Promise<unknown>
  /** The JWK Set at a URL, fetched within bounds and kept for a while. */
  readonly keysFor: (url: string) => KeySource
  readonly now: () => Millis
}

/** The keys that an issuer signs with. @throws Failure when its discovery document cannot be had */
export type IssuerKeys = (issuer: string) => Promise<KeySource>

interface Discovery {
  readonly askedAt: Millis
  readonly jwksUri: Promise<string>
  hasFailed: boolean
}

/** Finds issuers’ keys by their discovery documents (OpenID Connect Discovery 1.0 section 4). */
export function createIssuerKeys({ fetchJson, keysFor, now }: IssuerKeysOptions): IssuerKeys {
  const discoveries = new Map<string, Discovery>()

  async function discover(issuer: string): Promise<string> {
    const document = Object(await fetchJson(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`)) as Record<
      string,
      unknown
    >
    const { issuer: told, jwks_uri: jwksUri } = document
    // Or one issuer could speak for another (section 4.3).
    if (told === issuer && typeof jwksUri === 'string') return jwksUri
    throw new Failure('unavailable', 'a discovery document is of another issuer, or has no jwks_uri')
  }

  /** One request at a time, and none too soon after one that failed. A clock that was set back makes everything old. */
  function jwksUriOf(issuer: string): Promise<string> {
    const known = discoveries.get(issuer)
    const age = now() - (known?.askedAt ?? 0)
    const isUsed = known && age >= 0 && age < (known.hasFailed ? limits.failedDiscoveryMs : limits.discoveryMs)
    if (isUsed) return known.jwksUri
    const discovery: Discovery = { askedAt: now(), jwksUri: discover(issuer), hasFailed: false }
    discovery.jwksUri.catch(() => (discovery.hasFailed = true))
    discoveries.set(issuer, discovery)
    return discovery.jwksUri
  }

  return async (issuer) => keysFor(await jwksUriOf(issuer))
}
