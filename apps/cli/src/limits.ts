/** The bounds of the command. */
export const limits = {
  /** A request to the server, from connecting to the last byte of its answer. */
  callMs: 10_000,
  /** How long `token revoke --wait` waits for the caches, and how often it asks. */
  enforcementMs: 30_000,
  enforcementEveryMs: 50,
  /** An answer; a page of 1,000 events is some 1 MB. */
  answerBytes: 16 * 1_048_576,
  /** A token or secret that is read from standard input or a file; tokens are 4 KiB at most. */
  secretBytes: 65_536,
  /** The latest events that `audit tail` shows unless told otherwise, and those that it asks for at once. */
  tailEvents: 20,
  pageEvents: 1_000,
  /** Accounts that `account list` shows unless told otherwise, and those that it asks for at once. */
  listedAccounts: 100,
  pageAccounts: 500,
  /** Without a byte for so long, a stream is taken for lost: the server sends something every 15 s. */
  silenceMs: 45_000,
  /** Before a lost stream is opened again: at first, and at most after doubling; each at random from half to one and a half. */
  reopenMs: 500,
  longestReopenMs: 10_000,
  /** Characters of one event of a stream; the journal takes 64 KiB, which JSON escapes may make sixfold. */
  eventCharacters: 1_048_576,
  /** One check of `doctor`: connecting, asking, and what is left of the patience of whoever waits. */
  checkMs: 5_000,
  /** Reads of the store that `doctor` times; it tells the median. */
  timedReads: 5,
  /** A read of the store that takes longer makes every introspection slow. */
  slowReadMs: 20,
  /** Clocks that differ by more make expiries and records differ visibly. */
  clockSkewMs: 1_000,
  /** A certificate that ends sooner is to be renewed now. */
  certificateMs: 30 * 86_400_000,
  /** Room on the disk under a database: it stops to acknowledge when there is none. */
  freeBytes: 1_073_741_824,
} as const
