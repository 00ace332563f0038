const secondMs = 1_000
const minuteMs = 60 * secondMs
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

/** The bounds of the configuration, and of what may be configured. */
export const limits = {
  /** Bytes of the config file: some 20,000 clients. */
  fileBytes: 4 * 1024 * 1024,
  /** Values that the file may expand to once its aliases are followed: an alias bomb stops here. */
  values: 200_000,
  /** Maps and lists in one another; ours need 6. */
  depth: 32,
  /** Bytes of a file that holds a secret: NATS credentials are some 1,000. */
  secretFileBytes: 64 * 1024,
  /** Problems that an error's message lists; `problems` has all. */
  problemsShown: 100,
  /** Characters of a wrong value that a message repeats. */
  shownCharacters: 60,
  /** Characters of a name that are compared, and names compared with, to find what was meant. */
  suggestion: { characters: 80, candidates: 1_000 },
  /** Characters of an id; a client id is as long at most where tokens are issued. */
  idCharacters: 128,
  /** Characters of a display name or a description. */
  nameCharacters: 256,
  scopeCharacters: 128,
  urlCharacters: 2_048,
  /** Characters of an LDAP filter; one with a dozen clauses has some 300. */
  filterCharacters: 1_024,
  /** Bytes of the list of refused passwords; the most common million are 8 MB. */
  refusedPasswordsBytes: 64 * 1024 * 1024,
  /** Characters of a password: fewer than 8 are guessed (NIST SP 800-63B), more than 64 nobody may ask for. */
  passwordCharacters: { least: 8, most: 64 },
  /** Bytes of the logo, which every page brings. */
  logoBytes: 64 * 1024,
  /** Contrast of text (WCAG 2.2 section 1.4.3, level AA). */
  contrast: 4.5,
  /** What the text of pages stands on. */
  sheets: { light: '#ffffff', dark: '#1b1f26' },
  /** Characters of a client secret in the file; a longer one is refused where it is presented. */
  clientSecretCharacters: 512,
  /** Characters of an initial access token: fewer could be guessed, and a longer one is refused where it is presented. */
  initialAccessTokenCharacters: { least: 16, most: 512 },
  /** Public keys of one client; it needs two while one takes the place of the other. */
  clientKeys: 32,
  /** Bits of a client's RSA key (RFC 7518 section 3.3). */
  rsaBits: 2_048,
  /** Characters of the master key: fewer could be guessed from a stolen store. */
  masterKeyCharacters: 32,
  /** Partitions of the store; a partition is one byte of a token. */
  partitions: 64,
  /** Replicas that a write may wait for. */
  waitReplicas: 8,
  /** Replicas of a JetStream stream: NATS allows five. */
  busReplicas: 5,
  /** Events that may wait for the audit journal: some 1 KB each in the store. */
  backlogEvents: { least: 1_000, most: 1_000_000_000 },
  /** Answers that introspection keeps: 10 million are some 5 GB. */
  cacheEntries: 10_000_000,
  /** What a throttle may be set to, a minute; 0 turns it off. */
  perMinute: 1_000_000_000,
  log: {
    /** Characters of a text in a log line that may hold a credential; the rest is cut off. */
    textCharacters: 16 * 1024,
    /** Causes of an error that are told. */
    causes: 5,
    /** Maps and lists in one another that are searched for errors; the logger itself writes no deeper ones. */
    depth: 6,
  },
  durationsMs: {
    /** A command that takes longer than a minute helps nobody: the caller has gone. */
    commandTimeout: { least: 10, most: minuteMs },
    /** Events kept on the bus; the outbox does not rest on it. */
    busMaxAge: { least: minuteMs, most: 3_650 * dayMs },
    /** The log of facts is kept for minutes: a cache that is further behind starts anew. */
    maxStaleness: { least: 0, most: minuteMs },
    /** RFC 6749 section 4.1.2: ten minutes at most. */
    authorizationCode: { least: secondMs, most: 10 * minuteMs },
    accessToken: { least: secondMs, most: 365 * dayMs },
    refreshToken: { least: minuteMs, most: 3_650 * dayMs },
    /** How long a rotated refresh token still answers with its successor: a retry, not a second use. */
    refreshGrace: { least: 0, most: 5 * minuteMs },
    idToken: { least: secondMs, most: dayMs },
    /** From the request to the last click: a person signs in, perhaps looks for a second factor, and decides. */
    authorizationRequest: { least: minuteMs, most: dayMs },
    /** RFC 9126 section 2.2: the browser comes at once; ten minutes at most. */
    pushedRequest: { least: 5 * secondMs, most: 10 * minuteMs },
    /** RFC 8628 section 3.2: a person fetches a second device and types a code, which others could guess meanwhile. */
    deviceCode: { least: minuteMs, most: hourMs },
    /** A shorter time than an hour leaves none to publish a key before its use. */
    keyRotation: { least: hourMs, most: 3_650 * dayMs },
    session: { least: minuteMs, most: 365 * dayMs },
    /** A provider or directory that a person waits for. */
    upstream: { least: 100, most: 30 * secondMs },
    /** A mail server may take its time to look at a letter. */
    mail: { least: 100, most: minuteMs },
  },
} as const
