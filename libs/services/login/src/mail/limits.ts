/** The bounds of sending mail. */
export const limits = {
  /** Letters that are sent or waited for; more are refused, because whoever asks for so many is nobody. */
  waitingLetters: 1_000,
  /** Connections to the mail server. */
  connections: 4,
  /** Before the second try and the third: a server that is busy, and one that lets in only who comes again. */
  pausesMs: [10_000, 120_000],
  /** How many times as long as one step a whole try may take. */
  stepsPerTry: 4,
  /** What is still waiting at the end has so long. */
  drainMs: 8_000,
  /** Characters of an address (RFC 5321 section 4.5.3.1.3). */
  addressCharacters: 254,
  /** Characters of a subject, and of a name within a letter. */
  subjectCharacters: 200,
  nameCharacters: 100,
} as const
