/** The bounds of the accounts room. */
export const limits = {
  /** Characters of a login name: an e-mail address (RFC 5321 section 4.5.3.1) fits. */
  loginNameCharacters: 254,
  /** Characters of a new password: fewer are guessed (NIST SP 800-63B section 3.1.1), more only cost time to hash. */
  passwordLeastCharacters: 10,
  passwordMostCharacters: 256,
  /** Characters of a name or an e-mail address in the claims. */
  claimCharacters: 254,
  /** OWASP's first choice for Argon2id: 19 MiB, two passes, one lane. Memory in KiB. */
  argon2: { memory: 19_456, passes: 2, parallelism: 1, saltBytes: 16, keyBytes: 32 },
  /** What a stored hash may ask for: memory in KiB, passes, lanes. */
  argon2Most: { memory: 1_048_576, passes: 16, parallelism: 16 },
  /** Hashes computed at once; others wait, so that guessing can take neither every core nor all memory. */
  hashesAtOnce: 2,
  /** Hashes waiting; beyond that the answer is `too_many_requests`. */
  hashesWaiting: 64,
  /** How long an account that was begun and then given up stays given up: longer than any creation takes. */
  forsakenMs: 86_400_000,
} as const
