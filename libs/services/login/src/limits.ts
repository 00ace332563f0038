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
  /** Random bytes of the cookies that name a browser and a session. */
  cookieBytes: 32,
} as const
