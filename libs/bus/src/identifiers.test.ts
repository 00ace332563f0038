import { expect, test } from '@jest/globals'
import { decodeIdentifiers, encodeIdentifiers } from './identifiers.ts'

test('ids come back as they went, in parts no longer than the bound', () => {
  const ids = Array.from({ length: 1_000 }, (_, n) => `${n.toString(16).padStart(32, '0')}:${n % 3}`)
  const parts = encodeIdentifiers(ids, 1_000)
  expect(parts.flatMap(decodeIdentifiers)).toEqual(ids)
  expect(Math.max(...parts.map(({ length }) => length))).toBeLessThanOrEqual(1_000)
  expect(parts.length).toBeLessThan(40)
})

test('nothing is no part, and an id longer than the bound is a part of its own', () => {
  expect(encodeIdentifiers([])).toEqual([])
  expect(decodeIdentifiers(new Uint8Array())).toEqual([])
  expect(encodeIdentifiers(['a', 'b'.repeat(50), 'c'], 10).map((part) => decodeIdentifiers(part))).toEqual([
    ['a'],
    ['b'.repeat(50)],
    ['c'],
  ])
})
