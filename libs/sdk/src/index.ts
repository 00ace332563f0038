export { Failure, type FailureCode } from '@countersign/contracts'
export { createVerifier } from './create.ts'
export type * from './types.ts'
