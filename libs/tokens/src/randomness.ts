import { randomFillSync } from 'node:crypto'

const poolBytes = 8_192

/**
 * Random bytes from the operating system's generator, fetched in larger pieces: a call for each few bytes costs more than
 * the rest of minting a token. What was given out is wiped from the pool.
 */
export function createRandomness(): (bytes: number) => Buffer {
  const pool = Buffer.alloc(poolBytes)
  let used = poolBytes
  return (bytes) => {
    if (bytes > poolBytes) throw new RangeError(`at most ${poolBytes} bytes at once`)
    if (used + bytes > poolBytes) {
      randomFillSync(pool)
      used = 0
    }
    const given = Buffer.from(pool.subarray(used, used + bytes))
    pool.fill(0, used, used + bytes)
    used += bytes
    return given
  }
}
