/** The bounds of the token room. */
export const limits = {
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
  /** Credentials remembered as verified (keyed digests, not secrets). */
  verifiedCredentials: 10_000,
} as const
