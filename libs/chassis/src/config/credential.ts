import { accessSync, constants, readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { z } from 'zod'
import { complain, text } from './leaf.ts'
import { limits } from './limits.ts'
import { Secret } from './secret.ts'

/** What a configuration is read in. */
export interface Surroundings {
  /** Absolute; relative paths are resolved against it. */
  readonly folder: string
  readonly env: Readonly<Record<string, string | undefined>>
}

const codeOf = (thrown: unknown): string => (thrown as NodeJS.ErrnoException).code ?? 'unreadable'

/** The reason why a file cannot be read, in words. */
export function unreadable(thrown: unknown): string {
  const reasons: Record<string, string> = {
    ENOENT: 'does not exist',
    EACCES: 'may not be read by this user',
    EISDIR: 'is a folder',
    ERR_ENCODING_INVALID_ENCODED_DATA: 'is not UTF-8 text',
  }
  return reasons[codeOf(thrown)] ?? `cannot be read (${codeOf(thrown)})`
}

const decoder = new TextDecoder('utf-8', { fatal: true })

/**
 * The secret in a file, without the newline at its end; undefined when there is no such file.
 * @throws Error saying why not, without what is in it
 */
export function readSecretFile(path: string): Secret | undefined {
  let secret: string
  try {
    const size = statSync(path).size
    if (size > limits.secretFileBytes)
      throw new Error(`the file ${path} is longer than ${limits.secretFileBytes} bytes`)
    secret = decoder.decode(readFileSync(path)).replace(/[\r\n]+$/, '')
  } catch (thrown) {
    if (codeOf(thrown) === 'ENOENT') return undefined
    throw codeOf(thrown) === 'unreadable' ? thrown : new Error(`the file ${path} ${unreadable(thrown)}`)
  }
  if (secret.trim() === '') throw new Error(`the file ${path} is empty`)
  return new Secret(secret)
}

/** What a secret may be. */
export const secretForm = 'text in quotes, { env: NAME } or { file: path }'

const filled = (error: string) => z.string({ error }).min(1, { error })

const reference = () =>
  z.union(
    [
      filled(secretForm),
      z.strictObject({ env: filled('the name of a variable') }),
      z.strictObject({ file: filled('a path') }),
    ],
    { error: secretForm },
  )

interface SecretBounds {
  readonly least?: number
  readonly most?: number
}

/** The secret; undefined when its file does not exist. Throws a sentence when there is something else in the way. */
function find(given: z.output<ReturnType<typeof reference>>, { folder, env }: Surroundings, bounds: SecretBounds) {
  const { least = 1, most = limits.secretFileBytes } = bounds
  let secret: Secret | undefined
  if (typeof given === 'string') secret = new Secret(given)
  else if ('file' in given) secret = readSecretFile(resolve(folder, given.file))
  else {
    const value = env[given.env]?.replace(/[\r\n]+$/, '')
    if (value === undefined) throw new Error(`the environment variable ${given.env} is not set`)
    if (value.trim() === '') throw new Error(`the environment variable ${given.env} is empty`)
    secret = new Secret(value)
  }
  if (secret?.reveal().trim() === '') throw new Error('is empty')
  const length = secret?.reveal().length ?? least
  if (length < least) throw new Error(`is too short to be safe: at least ${least} characters are needed`)
  if (length > most) throw new Error(`is too long: at most ${most} characters are taken`)
  return secret
}

/** A secret, or the path of the file that it is in or will be made in. */
export const secretOrFile = (surroundings: Surroundings, bounds: SecretBounds = {}) =>
  reference()
    .transform((given, issues): Secret | { readonly file: string } => {
      try {
        const secret = find(given, surroundings, bounds)
        if (typeof given === 'object' && 'file' in given) return { file: resolve(surroundings.folder, given.file) }
        return secret!
      } catch (thrown) {
        return complain(issues, given, (thrown as Error).message)
      }
    })
    .meta({ title: secretForm, writeOnly: true })

/** A secret: as text, from an environment variable, or from a file. */
export const secret = (surroundings: Surroundings, bounds: SecretBounds = {}) =>
  reference()
    .transform((given, issues): Secret => {
      try {
        const secret = find(given, surroundings, bounds)
        if (secret !== undefined) return secret
        return complain(
          issues,
          given,
          `the file ${resolve(surroundings.folder, (given as { file: string }).file)} does not exist`,
        )
      } catch (thrown) {
        return complain(issues, given, (thrown as Error).message)
      }
    })
    .meta({ title: secretForm, writeOnly: true })

/** Says why a file cannot be used; a bounded one has to be a regular file. */
function checkFile(path: string, mostBytes: number | undefined): string | undefined {
  try {
    accessSync(path, constants.R_OK)
    const status = statSync(path)
    if (status.isDirectory()) return 'is a folder'
    if (mostBytes === undefined) return undefined
    if (!status.isFile()) return 'is not a regular file'
    return status.size > mostBytes ? `is longer than ${mostBytes} bytes` : undefined
  } catch (thrown) {
    return unreadable(thrown)
  }
}

/** A file that is there and, where a bound is given, no longer; as an absolute path. */
export const file = ({ folder }: Surroundings, mostBytes?: number) =>
  text('a path', (given) => (given === '' || given.includes('\0') ? undefined : resolve(folder, given))).transform(
    (path, issues): string => {
      const fault = checkFile(path, mostBytes)
      return fault === undefined ? path : complain(issues, path, `the file ${path} ${fault}`)
    },
  )
