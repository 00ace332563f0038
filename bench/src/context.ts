import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BenchArguments } from './arguments.ts'
import type { RoundsOptions } from './rounds.ts'

/** What a suite is given. Whatever it starts is stopped when the suite ends, last first, however it ends. */
export interface Context extends RoundsOptions {
  concurrency: number | undefined
  /** Tokens that `memory-per-token` fills in. */
  tokens: number
  /** Holds files of this suite only. */
  folder: string
  /** Starts something that has to be stopped. */
  start<T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T>
}

/** Runs a suite in a context of its own. */
export async function inContext<T>(
  { seconds, rounds, concurrency, tokens }: BenchArguments,
  { progress, signal }: Pick<Context, 'progress' | 'signal'>,
  run: (context: Context) => Promise<T>,
): Promise<T> {
  await using started = new AsyncDisposableStack()
  const folder = mkdtempSync(join(tmpdir(), 'countersign-bench-'))
  started.defer(() => rmSync(folder, { recursive: true, force: true }))
  const start: Context['start'] = async (starting) => {
    const thing = await starting
    started.defer(() => thing.stop())
    signal.throwIfAborted()
    return thing
  }
  return await run({ seconds, rounds, concurrency, tokens, progress, signal, folder, start })
}

/** Writes tokens as generators read them. */
export function writeTokens(context: Pick<Context, 'folder'>, name: string, tokens: readonly string[]): string {
  const file = join(context.folder, name)
  writeFileSync(file, tokens.join('\n') + '\n')
  return file
}
