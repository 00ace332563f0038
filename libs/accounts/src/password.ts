import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { Failure } from '@countersign/contracts'
import { limits } from './limits.ts'

const derive = promisify(argon2)

interface StoredPassword {
  memory: number
  passes: number
  parallelism: number
  salt: Buffer
  key: Buffer
}

/** The same password is written with different code points on different keyboards (RFC 8265 section 4.2). */
const normalized = (password: string): string => password.normalize('NFC')

const unpadded = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '')

/** Argon2's PHC string. @throws Failure `internal` when it is none that we make */
function parse(stored: string): StoredPassword {
  const match = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d{1,2})\$([\w+/]{11,64})\$([\w+/]{43})$/.exec(stored)
  const [, memory = 0, passes = 0, parallelism = 0] = (match ?? []).map(Number)
  const most = limits.argon2Most
  const isSane = passes >= 1 && passes <= most.passes && parallelism >= 1 && parallelism <= most.parallelism
  if (!match || !isSane || memory < 8 * parallelism || memory > most.memory) {
    throw new Failure('internal', 'a stored password hash is not one of ours')
  }
  const [salt, key] = [Buffer.from(match[4]!, 'base64'), Buffer.from(match[5]!, 'base64')]
  return { memory, passes, parallelism, salt, key }
}

/**
 * Whether a password should be hashed anew when it is next known: what was stored is weaker than what is made today.
 * @throws Failure `internal` when `stored` is no hash of ours
 */
export function needsRehash(stored: string): boolean {
  const { memory, passes, salt } = parse(stored)
  const { argon2: today } = limits
  // OWASP’s choices trade passes for memory, and are as strong when the product is the same.
  return memory * passes < today.memory * today.passes || salt.length < today.saltBytes
}

/** Hashes and verifies passwords with Argon2id, a few at a time. */
export class Passwords {
  readonly #randomBytes: (bytes: number) => Uint8Array
  readonly #waiting: (() => void)[] = []
  #running = 0
  #computed = 0

  constructor(random: (bytes: number) => Uint8Array = randomBytes) {
    this.#randomBytes = random
  }

  /** Hashes computed so far. */
  get computed(): number {
    return this.#computed
  }

  /** As a PHC string. @throws Failure `too_many_requests` */
  async hash(password: string): Promise<string> {
    const { memory, passes, parallelism, saltBytes } = limits.argon2
    const salt = Buffer.from(this.#randomBytes(saltBytes))
    const key = await this.#derive(password, salt, limits.argon2)
    return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${unpadded(salt)}$${unpadded(key)}`
  }

  /**
   * Whether the password is the one that was hashed.
   * @param stored undefined, or empty, when there is nobody: that takes as long, and is false
   * @throws Failure `too_many_requests`, `internal` when `stored` is no hash of ours
   */
  async verify(password: string, stored: string | undefined): Promise<boolean> {
    if (!stored) {
      await this.hash(password.slice(0, limits.passwordMostCharacters))
      return false
    }
    const held = parse(stored)
    const key = await this.#derive(password.slice(0, limits.passwordMostCharacters), held.salt, held)
    return timingSafeEqual(key, held.key) && password.length <= limits.passwordMostCharacters
  }

  async #derive(
    password: string,
    nonce: Buffer,
    { memory, passes, parallelism }: Pick<StoredPassword, 'memory' | 'passes' | 'parallelism'>,
  ): Promise<Buffer> {
    const message = normalized(password)
    const tagLength = limits.argon2.keyBytes
    return this.#inTurn(() => derive('argon2id', { message, nonce, memory, passes, parallelism, tagLength }))
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= limits.hashesAtOnce) {
      if (this.#waiting.length >= limits.hashesWaiting) {
        throw new Failure('too_many_requests', 'too many people are signing in just now; try again in a moment', {
          retryAfterSeconds: 1,
        })
      }
      // Whoever ends hands its place over, so that nobody overtakes.
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    } else this.#running++
    try {
      this.#computed++
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#running--
    }
  }
}
