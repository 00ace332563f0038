import { randomBytes } from 'node:crypto'

/** A name for a store's history: 64 random bits as 16 hex digits. */
export const randomEpoch = (): string => randomBytes(8).toString('hex')
