import { Failure } from '@countersign/contracts'
import { limits } from './limits.ts'
import type { StoredSecret } from './secret.ts'

export const grantTypes = ['client_credentials'] as const
export type GrantType = (typeof grantTypes)[number]

/** A client as it was configured. Whether it is disabled is told by its record in the store. */
export interface Client {
  readonly id: string
  /** Cannot keep a secret (RFC 6749 section 2.1). */
  readonly public: boolean
  /** Current and previous secret while they overlap; empty for a public client. */
  readonly secrets: readonly StoredSecret[]
  readonly grants: readonly string[]
  /** Scopes it may ask for, in the order they are given when it asks for none. */
  readonly scopes: readonly string[]
  /** Where its authorization codes may be sent. */
  readonly redirectUris: readonly string[]
  /** It has to prove possession of a code verifier (RFC 7636). */
  readonly requiresPkce: boolean
  /** Audiences (URIs) that its tokens are for. */
  readonly audience: readonly string[]
  /** Audiences whose tokens it may introspect. */
  readonly introspects: 'every' | ReadonlySet<string>
  readonly readsAudit: boolean
  readonly accessTokenLifetimeMs: number
  /** RFC 8705: a certificate with this SAN DNS name or subject DN is this client. */
  readonly certificate: { readonly sanDns?: string | undefined; readonly subjectDn?: string | undefined } | undefined
  /** base64url SHA-256 of all of the above but the secrets. */
  readonly digest: string
}

export type Clients = ReadonlyMap<string, Client>

/**
 * The scope to grant (RFC 6749 section 3.3): what was asked for, or all that is allowed.
 * @throws Failure `invalid_scope`
 */
export function grantedScope(allowed: readonly string[], requested: string | undefined): string {
  if (requested === undefined) return allowed.join(' ')
  if (requested.length > limits.scopeCharacters) throw new Failure('invalid_scope', 'scope is too long')
  const scopes = requested.split(' ')
  if (scopes.length > limits.scopes) throw new Failure('invalid_scope', `scope names more than ${limits.scopes} scopes`)
  for (const scope of scopes) {
    if (!allowed.includes(scope)) throw new Failure('invalid_scope', `scope ${printable(scope)} is not allowed here`)
  }
  return scopes.length === 1 ? requested : [...new Set(scopes)].join(' ')
}

/** RFC 6749 section 5.2 allows few characters in error_description. */
const printable = (text: string): string => `'${text.slice(0, 60).replace(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, '?')}'`
