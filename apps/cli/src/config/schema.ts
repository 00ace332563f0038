import { configSchema } from '@countersign/chassis/config'
import { exitCodes, type ExitCode } from '../exit-code.ts'
import type { Surroundings } from '../surroundings.ts'
import { printableJson } from '../text.ts'

/** `config schema`: JSON either way. */
export async function printSchema(_options: object, { stdout }: Surroundings): Promise<ExitCode> {
  stdout.write(`${printableJson(configSchema())}\n`)
  return exitCodes.ok
}
