import { expect, test } from '@jest/globals'
import { createRandomness } from './randomness.ts'

test('random bytes are never given twice, nor zero, across many fillings of the pool', () => {
  const random = createRandomness()
  const given = Array.from({ length: 10_000 }, () => random(32).toString('hex'))
  expect(new Set(given).size).toBe(given.length)
  expect(given).not.toContain('0'.repeat(64))
  const first = random(16)
  const copy = Buffer.from(first)
  for (let n = 0; n < 2_000; n++) random(16)
  expect(first).toEqual(copy)
  expect(() => random(10_000)).toThrow(RangeError)
})
