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

test('texts are bounded in number', () => {
  const shared = new Shared()
  const first = shared.words('first')
  for (let n = 0; n < 9_999; n++) shared.words(`text ${n}`)
  expect(shared.words('first')).toBe(first)
  shared.words('one more')
  expect(shared.words('first')).not.toBe(first)
  expect(shared.words('first')).toEqual(first)
})
