export * from './commit-id.ts'
export * from './limits.ts'
export * from './port.ts'
