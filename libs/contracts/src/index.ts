export type * from './calls.ts'
export * from './event.ts'
export * from './failure.ts'
export * from './revision.ts'
