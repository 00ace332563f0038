/** The bounds of signing in with providers elsewhere. */
export const limits = {
  /** Sign-ins that one provider is asked about at once; beyond it people are told to come back. */
  signInsAtOnce: 64,
  /** Seconds after which coming back makes sense. */
  retryAfterSeconds: 5,
  /** Bytes of one answer: an ID token that lists a person's groups fits. */
  answerBytes: 262_144,
  /** A person waits no longer than this many of a provider's timeouts for all that it is asked at once. */
  longestTimeouts: 2,
  /** How long a discovery document is used, and how soon it is asked for again after that was in vain. */
  discoveryMs: 3_600_000,
  failedDiscoveryMs: 10_000,
  /** How far a provider's clock may be off. */
  skewSeconds: 30,
  /** Characters of what a browser brings back from a provider, and of an authorization code. */
  callbackCharacters: 8_192,
  codeCharacters: 4_096,
  /** Characters of a claim, of a role, of an attribute's value; what is longer is left out. */
  claimCharacters: 254,
  roleCharacters: 128,
  /** Characters of a subject (OpenID Connect Core section 2), and of an e-mail's (RFC 5321 section 4.5.3.1.3). */
  subjectCharacters: 255,
  /** Ways in which somebody was authenticated (`amr`), and characters of each. */
  methods: 16,
  methodCharacters: 64,
  /** Characters of an error that is logged. */
  errorCharacters: 64,
  descriptionCharacters: 200,
  /** Lines about failed sign-ins that are logged per second and provider; the rest are counted. */
  logLinesPerSecond: 5,
} as const
