/** What an active token says (RFC 7662 section 2.2). Not to be changed: all who ask are given the same object. */
export interface Token {
  /** The person, or for a machine's token the client. */
  readonly subject: string
  readonly clientId: string
  readonly scopes: ReadonlySet<string>
  /** The person's; a machine has none. A change takes effect within `maxStalenessMs`, in tokens that are there already, too. */
  readonly roles: readonly string[]
  /** The person's, by name; as roles. */
  readonly attributes: Readonly<Record<string, readonly string[]>>
  readonly audience: readonly string[]
  readonly issuer: string
  /** Seconds since the Unix epoch. */
  readonly expiresAt: number
  readonly issuedAt: number
  /** The token's fingerprint, as in the audit events. */
  readonly id: string
  /**
   * What whoever brings the token has to prove to hold besides; undefined: nothing. A service that does not check the
   * proof must not take such a token: whoever stole it could bring it.
   */
  readonly confirmation: Confirmation | undefined
  /** Who acts for the subject (RFC 8693 section 4.1), whoever acts now first. */
  readonly actors: readonly string[]
  /** Authentication is off: nobody was asked, and everything is let through. */
  readonly isAnonymous: boolean
}

/** What a token is bound to (RFC 7800): one of these, or both. */
export interface Confirmation {
  /** base64url SHA-256 thumbprint of a DPoP key (RFC 9449 section 6). */
  readonly jkt?: string
  /** base64url SHA-256 of a client certificate: `x5t#S256` (RFC 8705 section 3.1). */
  readonly x5tS256?: string
}

/** What a token must be good for. */
export interface Requirements {
  /** All of these. */
  scopes?: readonly string[]
  /** All of these. */
  roles?: readonly string[]
  /** One of its audiences. */
  audience?: string
  /** A revision, as a revocation answers with: the verdict comes from no older view. */
  minRevision?: string
}

/** RFC 6750 section 3.1. */
export type Refusal = 'invalid_token' | 'insufficient_scope'

export type Verification =
  | { readonly ok: true; readonly token: Token }
  | {
      readonly ok: false
      readonly error: Refusal
      /** What is missing, for people. */
      readonly description: string
      /** Of an active token that is not good for this. */
      readonly token?: Token
    }

export interface Credentials {
  clientId: string
  clientSecret: string
}

/** PEM texts. */
export interface Tls {
  /** Without it, the authorities that the system knows. */
  ca?: string | Uint8Array
  /** With `key`: mutual TLS, instead of credentials. */
  cert?: string | Uint8Array
  key?: string | Uint8Array
  /** The name that the server's certificate must have, when it is not the target's. */
  serverName?: string
}

export interface VerifierOptions {
  /**
   * Where Countersign's gRPC is: `host:port`, or `dns:///host:port` for all addresses of a name. Absent: authentication
   * is off, everything is let through as anonymous, and it is said loudly. Nothing else turns it off: an empty text, or none beside credentials, `tls` or `allowPlaintext`, is a
   * mistake, and whoever cannot be asked gives no verdict.
   */
  target?: string | undefined
  credentials?: Credentials | undefined
  /** Absent: plaintext, which stays on this machine unless `allowPlaintext`. */
  tls?: Tls | undefined
  allowPlaintext?: boolean
  /** Milliseconds, 0 or from 80 to 600,000; a verdict is never older than this. 0: always ask. Usual: 1,000. */
  maxStalenessMs?: number
  /** Answers kept at most; 0: none. Usual: 100,000. */
  cacheEntries?: number
  /** Milliseconds that a verdict may take. Usual: 2,000. */
  deadlineMs?: number
  /** Names this cache where Countersign says how far caches are. Usual: the host's name and the process id. */
  name?: string
  log?: Log
}

export interface Log {
  info(message: string): void
  warn(message: string): void
}

export interface VerifierStats {
  /** Verdicts from memory, and asked for. */
  hits: number
  misses: number
  /** Of the misses: kept, but not proven fresh. */
  lapsed: number
  entries: number
  negativeEntries: number
  /** Estimate. */
  bytes: number
  evicted: number
  /** Revocations heard of. */
  facts: number
  /** Times that everything kept was forgotten, and of these: because the store went back. */
  flushes: number
  rollbacks: number
  /** Questions put, messages that carried them, and questions that failed. */
  questions: number
  messages: number
  failures: number
  probes: number
  proofs: number
  isWatching: boolean
  /** Let through because authentication is off. */
  anonymous: number
}

export interface Verifier {
  /**
   * Whether a token is good for this.
   * @throws Failure there is no verdict: `unavailable`, `deadline_exceeded`, `too_many_requests`, `internal`; or the
   * question is not allowed: `invalid_client`, `access_denied`
   */
  verify(token: string, requirements?: Requirements): Promise<Verification>
  stats(): VerifierStats
  /** The same in the text format of Prometheus. */
  metrics(): string
  close(): void
}
