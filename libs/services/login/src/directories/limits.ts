/** The bounds of asking directories. */
export const limits = {
  /** Groups of one person; whoever has more gets nothing, because which thousand it were would be chance. */
  groups: 1_000,
  /** Entries that an LDAP server is asked for at a time. */
  pageEntries: 500,
  /** Characters of a distinguished name that is read. */
  nameCharacters: 4_096,
  /** Values of an attribute that are kept. */
  attributeValues: 50,
  /** Characters of such a value; longer ones are left out. */
  attributeCharacters: 256,
  /** Bytes of all answers to one look-up: a thousand groups with long names are a quarter of it. */
  answerBytes: 1_048_576,
  /** Look-ups that one directory answers at once; more wait, each no longer than its time. */
  connections: 32,
} as const
