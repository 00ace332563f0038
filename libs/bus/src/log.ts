/** What the room tells its operator with; pino's logger is one. */
export interface Log {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}

export const silentLog: Log = { info: () => undefined, warn: () => undefined }

/** What may be logged of something thrown. */
export const reasonOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown))
