import { ConfigError } from '@countersign/chassis/config'
import { exitCodes, type ExitCode } from '../exit-code.ts'
import type { Surroundings } from '../surroundings.ts'
import { aligned, printable, printableJson } from '../text.ts'
import { inEffect } from './in-effect.ts'
import { readConfig } from './read.ts'

/** `config check`: what is in effect, and what is odd about it; or every mistake. */
export async function checkConfig(
  options: { config?: string; json?: true },
  surroundings: Surroundings,
): Promise<ExitCode> {
  const { stdout, stderr } = surroundings
  try {
    const { config, file, warnings } = readConfig(options.config, surroundings)
    const settings = inEffect(config)
    if (options.json) {
      const document = { ok: true, file: file ?? null, settings: Object.fromEntries(settings), warnings, problems: [] }
      stdout.write(`${printableJson(document)}\n`)
      return exitCodes.ok
    }
    stdout.write(aligned(settings.map(([key, value]) => [key, printable(String(value))])))
    for (const warning of warnings) stderr.write(`warning: ${printable(warning)}\n`)
    stderr.write(`${file === undefined ? 'no file: the defaults and the environment' : printable(file)}: good\n`)
    return exitCodes.ok
  } catch (thrown) {
    if (!(thrown instanceof ConfigError) || !options.json) throw thrown
    stdout.write(`${printableJson({ ok: false, file: null, settings: {}, warnings: [], problems: thrown.problems })}\n`)
    return exitCodes.mistake
  }
}
