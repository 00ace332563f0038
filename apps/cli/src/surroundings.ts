import type { ReadStream, WriteStream } from 'node:tty'

/** What a command reads and writes: its terminal, environment and folder. */
export interface Surroundings {
  readonly stdin: ReadStream
  readonly stdout: WriteStream
  readonly stderr: WriteStream
  readonly env: Readonly<Record<string, string | undefined>>
  /** Absolute. */
  readonly cwd: string
}
