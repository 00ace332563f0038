/** The bounds of the accounts room. */
export const limits = {
  /** Characters of a login name: an e-mail address (RFC 5321 section 4.5.3.1) fits. */
  loginNameCharacters: 254,
  /** Characters of a new password: more only cost time to hash. */
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
  /** Passwords of an operator's list that are kept in memory: about 100 MB. */
  refusedPasswords: 1_000_000,
  /** Characters of a password whose strength is estimated, which takes longer than linearly; any more only make it stronger. */
  estimatedCharacters: 64,
  /** Guesses that a new password must withstand: three common words do, and ten random characters, one word with a year does not. */
  passwordLeastGuesses: 1e9,
  /** Identities elsewhere and passkeys of one account: all of them are in its record, of which an entry of the store has to hold. */
  identities: 10,
  passkeys: 20,
  /** Characters of what a person calls a passkey. */
  passkeyNameCharacters: 64,
  /** Recovery codes that are made at once, and random characters of each, of five bits (80 bits). */
  recoveryCodes: { count: 10, characters: 16 },
  /** Milliseconds that links are good for: one asked for just now, and one that waits in somebody's mail. */
  resetLinkMs: 3_600_000,
  invitationLinkMs: 604_800_000,
  /** How long what is left of an account that was given up, or deleted, is kept: longer than any creation takes. */
  forsakenMs: 86_400_000,
} as const
