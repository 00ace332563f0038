import type { FailureCode } from '@countersign/contracts'
import { expect } from '@jest/globals'

/** Matches a Failure of this code. */
export const failure = (code: FailureCode): unknown => expect.objectContaining({ name: 'Failure', code })
