import { hash, randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { Failure } from '@countersign/contracts'
import { limits } from './limits.ts'

const prefix = 'scrypt$'

/** A client secret as it is held: never the secret itself. */
export type StoredSecret =
  | { readonly kind: 'salted'; readonly digest: Buffer }
  | {
      readonly kind: 'scrypt'
      readonly cost: number
      readonly blockSize: number
      readonly parallelization: number
      readonly salt: Buffer
      readonly key: Buffer
    }

interface ScryptParameters {
  cost: number
  blockSize: number
  parallelization: number
}

const derive = (
  secret: string,
  salt: Buffer,
  { cost, blockSize, parallelization }: ScryptParameters,
): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const options = { cost, blockSize, parallelization, maxmem: 256 * cost * blockSize }
    const done = (error: Error | null, key: Buffer) => (error ? reject(error) : resolve(key))
    scrypt(secret, salt, limits.scrypt.keyBytes, options, done)
  })

/** A secret as it may stand in a config file: `scrypt$<log2 N>$<r>$<p>$<salt>$<key>`, base64url. */
export async function hashSecret(secret: string, salt: Buffer = randomBytes(limits.scrypt.saltBytes)): Promise<string> {
  const { cost, blockSize, parallelization } = limits.scrypt
  const key = await derive(secret, salt, limits.scrypt)
  const parameters = [Math.log2(cost), blockSize, parallelization]
  return prefix + [...parameters, salt.toString('base64url'), key.toString('base64url')].join('$')
}

/** @throws Failure `invalid_request` when it begins as a hash and is none that we make. */
export function parseHashedSecret(text: string): StoredSecret | undefined {
  if (!text.startsWith(prefix)) return undefined
  const match = /^scrypt\$(\d{1,2})\$(\d{1,2})\$(\d{1,2})\$([\w-]{16,64})\$([\w-]{43})$/.exec(text)
  const [, logCost, blockSize, parallelization] = (match ?? []).map(Number)
  const sane = match && logCost! >= 14 && logCost! <= 17 && blockSize! >= 1 && blockSize! <= 16 && parallelization! >= 1
  if (!sane) throw new Failure('invalid_request', 'a secret that begins with scrypt$ must be made by countersign')
  return {
    kind: 'scrypt',
    cost: 2 ** logCost!,
    blockSize: blockSize!,
    parallelization: parallelization!,
    salt: Buffer.from(match[4]!, 'base64url'),
    key: Buffer.from(match[5]!, 'base64url'),
  }
}

/**
 * Holds and verifies secrets in this process. Whatever was given in plain is kept only as a digest under a random salt;
 * whatever was verified once against a password hash is remembered as such a digest, so that it costs one SHA-256 from then on.
 */
export class Secrets {
  readonly #salt: string
  readonly #verified = new Map<string, StoredSecret>()
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor(salt: Buffer = randomBytes(32)) {
    this.#salt = salt.toString('base64')
  }

  #digest(secret: string): Buffer {
    return hash('sha256', this.#salt + secret, 'buffer')
  }

  /** Names something secret, in this process only: a digest under its salt. */
  nameOf(text: string): string {
    return hash('sha256', this.#salt + text, 'base64')
  }

  /** Takes a secret from the configuration, plain or hashed. */
  hold(secret: string): StoredSecret {
    return parseHashedSecret(secret) ?? { kind: 'salted', digest: this.#digest(secret) }
  }

  /** Whether the presented secret is one of these; takes as long whichever it is not. A promise only where a hash must be computed. */
  verify(presented: string, held: readonly StoredSecret[]): boolean | Promise<boolean> {
    if (presented.length > limits.secretCharacters) return false
    const digest = this.#digest(presented)
    let matches = false
    let hashed = false
    for (const secret of held) {
      if (secret.kind === 'scrypt') hashed = true
      else if (timingSafeEqual(digest, secret.digest)) matches = true
    }
    if (matches || !hashed) return matches
    const name = digest.toString('base64')
    const remembered = this.#verified.get(name)
    if (remembered !== undefined && held.includes(remembered)) return true
    return this.#verifyHashed(presented, name, held)
  }

  async #verifyHashed(presented: string, name: string, held: readonly StoredSecret[]): Promise<boolean> {
    for (const secret of held) {
      if (secret.kind !== 'scrypt') continue
      const key = await this.#inTurn(() => derive(presented, secret.salt, secret))
      if (!timingSafeEqual(key, secret.key)) continue
      if (this.#verified.size >= limits.verifiedCredentials) this.#verified.clear()
      this.#verified.set(name, secret)
      return true
    }
    return false
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= limits.scryptAtOnce) {
      if (this.#waiting.length >= limits.scryptWaiting) {
        throw new Failure('too_many_requests', 'too many secrets are being verified', { retryAfterSeconds: 1 })
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
    this.#running++
    try {
      return await work()
    } finally {
      this.#running--
      this.#waiting.shift()?.()
    }
  }
}
