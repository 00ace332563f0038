/** The bounds of the token room. */
export const limits = {
  /** Milliseconds that a code is remembered after it expired, so that using it again is noticed. */
  codeRememberedMs: 10 * 60_000,
  /** Rotations of one refresh token within its grace that still answer with their successor. */
  rotationsKept: 16,
  /** Tokens exchanged from one another in a row. */
  exchangesInARow: 4,
  /** Sessions of one browser, before its person signed in again, that end with the newest. */
  predecessors: 16,
  /** Milliseconds within which the use of a session is not written again. */
  sessionUseWrittenMs: 60_000,
  /** Roles of an account, and of a sign-in with one provider; attributes of that, and values of each; characters of each of them. */
  roles: 200,
  roleCharacters: 128,
  attributes: 50,
  attributeValues: 50,
  attributeCharacters: 256,
  /** UTF-8 bytes of all those roles, and of all those attributes: an entry of the store has 64 KiB for the whole person. */
  rolesBytes: 16_384,
  attributesBytes: 16_384,
  /** Providers whose standing is kept of one person; and bytes of the record, in which the oldest standings make room. */
  standings: 32,
  subjectBytes: 61_440,
  /** Milliseconds within which the same standing is not written again. */
  standingWrittenMs: 60_000,
  /** Characters of the roles that one event tells were given, or taken; the event has 32 KiB. */
  toldRolesCharacters: 4_096,
  /** Characters of a browser's User-Agent and address that are kept with a session. */
  userAgentCharacters: 256,
  addressCharacters: 64,
  /** RFC 8628 section 3.2 and 3.5: seconds between two polls, at first, added by slow_down, and at most. */
  devicePollSeconds: { first: 5, slowDown: 5, most: 60 },
  /** Characters of a token as presented; RFC-shaped JWTs of other issuers fit, floods do not. */
  tokenCharacters: 4_096,
  /** Scopes that one request may name. */
  scopes: 100,
  /** Characters of a whole scope parameter. */
  scopeCharacters: 4_096,
  /** Characters of `state` and whatever else a client sends along with an authorization request; of its `claims`. */
  authorizationParameterCharacters: 4_096,
  claimsCharacters: 16_384,
  /** Characters of a client id. */
  clientIdCharacters: 128,
  /** Characters of a client secret as presented. */
  secretCharacters: 512,
  /** scrypt's memory: N·r·128 bytes is 16 MiB with these (OWASP's floor for interactive logins, with p = 5). */
  scrypt: { cost: 2 ** 14, blockSize: 8, parallelization: 5, keyBytes: 32, saltBytes: 16 },
  /** scrypt computations at once; others wait, so that guessing cannot take every core. */
  scryptAtOnce: 2,
  /** scrypt computations waiting; beyond that the answer is `too_many_requests`. */
  scryptWaiting: 64,
  /** Characters of a client's assertion (RFC 7523), of a DPoP proof (RFC 9449): an RSA key of 4,096 bits and its signature fit. */
  assertionCharacters: 8_192,
  dpopProofCharacters: 4_096,
  /** Milliseconds by which the clocks of clients and ours may differ. */
  clockSkewMs: 30_000,
  /** Milliseconds for which an assertion may be good at most: it is remembered that long. */
  assertionLifetimeMs: 600_000,
  /** Milliseconds between the making of a DPoP proof and its arrival, and by which its maker's clock may be ahead. */
  dpopProofAgeMs: 60_000,
  dpopProofAheadMs: 5_000,
  /** Milliseconds after which a new DPoP nonce is given; one is good for up to twice as long. */
  dpopNonceMs: 120_000,
  /** Milliseconds that a used proof is remembered after it expired: the clocks of replicas and store may differ. */
  replayMarginMs: 60_000,
  /** Keys of one JWK Set that a signature is tried with where it does not say which. */
  keysTried: 4,
  /** Credentials remembered as verified (keyed digests, not secrets). */
  verifiedCredentials: 10_000,
} as const
