/** The bounds of what operators ask about accounts. */
export const limits = {
  /** Accounts of a page, at most and unless asked for otherwise. */
  pageSize: 500,
  defaultPageSize: 100,
  /** Accounts that a call looks at: a search goes on in the next one, so that none takes long. */
  lookedAt: 2_000,
  /** Accounts that are read from the store at once; each has a few KiB. */
  readAtOnce: 250,
  /** Characters of a search, an account's id and a page token. */
  searchCharacters: 254,
  idCharacters: 128,
  pageTokenCharacters: 1_024,
} as const
