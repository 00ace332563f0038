/** The bounds of the login service. */
export const limits = {
  /** Times a decision is made anew when its commit conflicts. */
  attempts: 3,
  /** Bytes of a form: a consent to a hundred scopes is a tenth of it. */
  formBytes: 65_536,
  /** Characters of the id of a request or sign-out that brought the browser here. */
  errandCharacters: 512,
  /** Letters of a device's user code (RFC 8628 section 6.1). */
  userCodeLetters: 8,
  /** Characters of a User-Agent that are kept; it is stored with each event. */
  userAgentCharacters: 256,
  /** Characters of what a browser and its system are called. */
  deviceCharacters: 40,
  /** Passwords of one account, and from one address, that are checked at once: the queue for that is one for all. */
  hashesOfAccount: 20,
  hashesOfAddress: 32,
  /** Second factors of one account that are checked at once: counts that replicas share come late for many guesses at once. */
  codesAtOnce: 2,
  /** Letters about an account in an hour; with any more nobody would read them. */
  lettersAnHour: 20,
  /** Random bytes of the cookies that name a browser and a session. */
  cookieBytes: 32,
  /** Random bytes that make a ticket one of its kind, and of AES-GCM's nonce. */
  ticketIdBytes: 16,
  ticketNonceBytes: 12,
  /** Characters of a ticket: with everything in it a quarter of this. */
  ticketCharacters: 4_096,
  /** How long a person may stay with a provider, until they are back. */
  upstreamMs: 900_000,
  /** How long the second factor may take, and a passkey's prompt. */
  secondFactorMs: 300_000,
  passkeyMs: 300_000,
  /** How long ago somebody without a password may have signed in who changes how one signs in. */
  recentSignInMs: 300_000,
  /** How long a new secret may take to reach an authenticator app, and a code of it to come back. */
  totpSetupMs: 900_000,
  /** Characters of a passkey's id in base64url (WebAuthn section 4: 1,023 bytes), and bytes of its key: RSA's of 8,192 bits fits. */
  passkeyIdCharacters: 1_364,
  passkeyKeyBytes: 2_048,
  /** How seldom it is written down that a passkey was used. */
  passkeyUseMs: 86_400_000,
  /** Roles that are taken from a provider, attributes, and values of one. */
  roles: 200,
  attributes: 50,
  attributeValues: 50,
  /** Characters of the address of a page to go to after signing in. */
  returnCharacters: 1_024,
  /** Characters of an Accept-Language header that are read, and languages that an application may ask for. */
  acceptLanguageCharacters: 512,
  uiLocales: 16,
} as const
