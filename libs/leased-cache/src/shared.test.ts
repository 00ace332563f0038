import { expect, test } from '@jest/globals'
import { Shared } from './shared.ts'

test('what many hold is kept once', () => {
  const shared = new Shared()
  expect(shared.words('read write')).toBe(shared.words('read write'))
  expect(shared.words('read write')).toEqual(new Set(['read', 'write']))
  expect(shared.words('')).toEqual(new Set())
  expect(shared.list(['a', 'b'])).toBe(shared.list(['a', 'b']))
  expect(shared.text('a')).toBe('a')
})

test('lists that read alike are not taken for one another, and none is changed afterwards', () => {
  const shared = new Shared()
  const given = ['domain admin']
  expect(shared.list(given)).toEqual(['domain admin'])
  expect(shared.list(['domain', 'admin'])).toEqual(['domain', 'admin'])
  expect(shared.list(['domain","admin'])).toEqual(['domain","admin'])
  given.push('owner')
  expect(shared.list(['domain admin'])).toEqual(['domain admin'])
  expect(() => (shared.list(['a']) as string[]).push('b')).toThrow(TypeError)
})

test('data that many hold is kept once, and none of it is changed afterwards', () => {
  const shared = new Shared()
  const first = shared.data([{ name: 'unit', values: ['physics'] }])
  expect(shared.data([{ name: 'unit', values: ['physics'] }])).toBe(first)
  expect(shared.data([{ name: 'unit', values: ['physics', ''] }])).not.toBe(first)
  expect(shared.data([{ unit: 'physics' }])).toEqual([{ unit: 'physics' }])
  for (const part of [first, first[0], first[0]!.values]) expect(Object.isFrozen(part)).toBe(true)
})

test('data that is long is not kept, and takes what it takes', () => {
  const shared = new Shared()
  const [short, long] = [{ a: 'x'.repeat(1_016) }, { a: 'x'.repeat(1_017) }]
  expect(shared.data({ ...short })).toBe(shared.data({ ...short }))
  expect(shared.data({ ...long })).not.toBe(shared.data({ ...long }))
  expect(Object.isFrozen(shared.data(long))).toBe(true)
  expect([shared.ownBytes(short), shared.ownBytes(long)]).toEqual([0, 2_050])
})

test('texts are bounded in number', () => {
  const shared = new Shared()
  const first = shared.words('first')
  for (let n = 0; n < 9_999; n++) shared.words(`text ${n}`)
  expect(shared.words('first')).toBe(first)
  shared.words('one more')
  expect(shared.words('first')).not.toBe(first)
  expect(shared.words('first')).toEqual(first)
})
