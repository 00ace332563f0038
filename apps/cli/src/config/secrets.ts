import { randomBytes } from 'node:crypto'
import { Failure } from '@countersign/contracts'
import { hashSecret, limits as tokenLimits } from '@countersign/tokens'
import { exitCodes, type ExitCode } from '../exit-code.ts'
import { askHidden, isInteractive, readStandardInput } from '../secret-input.ts'
import type { Surroundings } from '../surroundings.ts'
import { aligned, printableJson } from '../text.ts'

/** Of a secret that no one can guess, and that needs no typing. */
const secretBytes = 32

/** `config hash-secret`: prints the hash alone. */
export async function hashGivenSecret(options: { json?: true }, surroundings: Surroundings): Promise<ExitCode> {
  const secret = await givenSecret(surroundings)
  if (secret.length > tokenLimits.secretCharacters) {
    throw new Failure('invalid_request', `a client secret has ${tokenLimits.secretCharacters} characters at most`)
  }
  const hash = await hashSecret(secret)
  surroundings.stdout.write(options.json ? `${printableJson({ hash })}\n` : `${hash}\n`)
  return exitCodes.ok
}

async function givenSecret(surroundings: Surroundings): Promise<string> {
  if (!isInteractive(surroundings)) return readStandardInput('the secret', surroundings)
  const secret = await askHidden('Secret: ', surroundings)
  if (secret === '') throw new Failure('invalid_request', 'nothing was entered')
  if (secret !== (await askHidden('Again: ', surroundings))) {
    throw new Failure('invalid_request', 'what was entered differs: nothing was hashed')
  }
  return secret
}

/** `config new-secret`: the secret is for the client, the hash for the file. */
export async function newSecret(options: { json?: true }, { stdout }: Surroundings): Promise<ExitCode> {
  const secret = randomBytes(secretBytes).toString('base64url')
  const hash = await hashSecret(secret)
  stdout.write(
    options.json
      ? `${printableJson({ secret, hash })}\n`
      : aligned([
          ['secret', secret],
          ['hash', hash],
        ]),
  )
  return exitCodes.ok
}
