import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Config } from '@countersign/chassis/config'

const leastBytes = 32

export class MasterKeyError extends Error {
  override readonly name = 'MasterKeyError'
}

/**
 * The master key, at least 32 bytes.
 * @param make whether to make the file when there is none: only a process that is alone may
 * @throws MasterKeyError that says what to do
 */
export function readMasterKey(source: Config['masterKey'], make: boolean): Buffer {
  if ('reveal' in source) return Buffer.from(source.reveal())
  const { file } = source
  if (!existsSync(file)) {
    if (!make) {
      throw new MasterKeyError(
        `master_key: ${file} does not exist. Make it once and give it to every service: openssl rand -base64 48 > ${file}`,
      )
    }
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    writeFileSync(file, `${randomBytes(leastBytes).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' })
  }
  const key = readFileSync(file, 'utf8').trim()
  if (key.length < leastBytes) throw new MasterKeyError(`master_key: ${file} holds fewer than ${leastBytes} bytes`)
  return Buffer.from(key)
}

/** Whether others than the owner may read the file. */
export const isReadableByOthers = (file: string): boolean => (statSync(file).mode & 0o077) !== 0
