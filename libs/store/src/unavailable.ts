import { Failure } from '@countersign/contracts'

/** The store cannot be asked, or cannot tell what became of a commit: trying again is safe. */
export const unavailable = (why: string, cause?: unknown): Failure =>
  new Failure('unavailable', `the store cannot answer now: ${why}`, { cause, retryAfterSeconds: 1 })
