import { Failure } from '@countersign/contracts'
import { readConfig } from '../config/read.ts'
import { exitCodes, type ExitCode } from '../exit-code.ts'
import type { Surroundings } from '../surroundings.ts'
import { printableJson } from '../text.ts'

/** `account setup-link`: prints the link that makes the first account, alone. @throws ConfigError, Failure `invalid_request` */
export async function printSetupLink(
  options: { config?: string; json?: true },
  surroundings: Surroundings,
): Promise<ExitCode> {
  const { config } = readConfig(options.config, surroundings)
  if (!config.demo && !config.providers.some(({ kind }) => kind === 'local')) {
    throw new Failure('invalid_request', 'no accounts are kept here: providers has none of kind local')
  }
  const { MasterKeyError, readMasterKey, setupTokenFrom } = await import('@countersign/assembly')
  try {
    const link = `${config.issuer}/setup?token=${setupTokenFrom(readMasterKey(config.masterKey, false))}`
    surroundings.stdout.write(options.json ? `${printableJson({ setup_link: link })}\n` : `${link}\n`)
    return exitCodes.ok
  } catch (thrown) {
    if (thrown instanceof MasterKeyError) throw new Failure('invalid_request', thrown.message, { cause: thrown })
    throw thrown
  }
}
