/** The bounds of the token-issuer service. */
export const limits = {
  /** Times a decision is made anew when its commit conflicts. */
  attempts: 3,
  /** Client records of one partition read at once while clients are reconciled. */
  clientsPerPage: 500,
  /** Seconds that relying parties may keep the key set; keys are published at least twice as long before use. */
  jwksMaxAgeSeconds: 300,
  /** Bits of an RSA signing key. */
  rsaBits: 2_048,
  /** Random bytes that name a request in a browser's address. */
  handleBytes: 16,
  /** Characters of a signed request; `claims` and `state` fit. */
  requestObjectCharacters: 32 * 1024,
  /** Seconds that another's clock may be ahead. */
  skewSeconds: 30,
  /** Letters of a user code (RFC 8628 section 6.1): 20^8 codes, guessed at a throttled pace within minutes. */
  userCodeLetters: 8,
  /** Milliseconds that a person may take to confirm a sign-out. */
  logoutRequestMs: 30 * 60_000,
  /** Applications told of one sign-out. */
  logoutNotices: 100,
  /** Grants looked at for that, and of them read at once; sessions, codes, consents of a person likewise. */
  logoutGrants: { most: 10_000, perPage: 500 },
  sessions: { most: 20_000, perPage: 1_000 },
  codes: { most: 10_000, perPage: 500 },
  consents: { most: 10_000, perPage: 500 },
  /** Sessions and applications that a person is shown; and clients that are looked up for that, the latest used first. */
  sessionsShown: 100,
  applicationsShown: 100,
  applicationsLookedUp: 200,
  /** Grants, codes or sessions that end in one commit: a grant may have 24 KiB, and a commit 1 MiB. */
  endedAtOnce: 25,
  /** Pages of a person's codes and grants that one withdrawal of a consent ends something of; asked again, it goes on. */
  withdrawnPages: 20,
  /** Records that one commit erases, and commits of one erasure; asked again, it goes on. */
  erasedAtOnce: 50,
  erasures: 1_000,
  /** Characters of the word that says why. */
  reasonCharacters: 256,
  /**
   * Back-channel logout: attempts; milliseconds before the first retry, doubling; for one answer; bytes of it; applications
   * told at once, each of one sign-out after the other; notices that wait for one of them in memory; seconds that a logout
   * token is good; milliseconds between two looks for notices; notices read at once; and how long one waits for a process.
   */
  notice: {
    attempts: 6,
    retryMs: 1_000,
    timeoutMs: 3_000,
    answerBytes: 65_536,
    atOnce: 8,
    waitingPerClient: 100,
    tokenSeconds: 120,
    sweepMs: 2_000,
    perPage: 500,
    keptMs: 86_400_000,
  },
  /** Characters of an id that an operator names; ours and clients' are no longer. */
  idCharacters: 128,
  /** Clients that are held in memory, ready for use: what was read of them, and what was built; some kilobytes each. */
  clientsHeld: 10_000,
  /** Hex digits of a commit's id that a new client's epoch begins with: 28 bits, so that it can still be raised. */
  firstEpochDigits: 7,
  /** Registration (RFC 7591): bytes of a request, and of the metadata that is kept of it; a value in the store has 64 KiB. */
  registrationBodyBytes: 65_536,
  registeredMetadataBytes: 49_152,
  /** Entries of each list; characters of a URL, and of a name that people may be shown. */
  registeredItems: 32,
  registeredUrlCharacters: 2_048,
  registeredNameCharacters: 256,
  /** Bits of clients' RSA keys: checking a signature takes longer the more there are. */
  registeredRsaBits: { least: 2_048, most: 4_096 },
  /** URIs in what is at a `sector_identifier_uri`; it may be of many clients. */
  sectorUris: 1_000,
  /** Characters of a User-Agent that are kept with an event. */
  userAgentCharacters: 256,
  /** Characters of a token that is exchanged: other issuers’ tokens, which list a person’s roles, fit. */
  exchangedTokenCharacters: 16 * 1024,
  /** Characters of another issuer’s subject (OpenID Connect Core section 2). */
  upstreamSubjectCharacters: 255,
  /** Milliseconds that an issuer’s discovery document is used, and before it is asked for again when it could not be had. */
  discoveryMs: 300_000,
  failedDiscoveryMs: 10_000,
} as const
