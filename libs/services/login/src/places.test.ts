import { expect, test } from '@jest/globals'
import { Places } from './places.ts'

const two = (...keys: string[]) => keys.map((key) => ({ key, most: 2 }))

test('each key has its places, and they are free again however the work ends', async () => {
  const places = new Places()
  const work = Promise.withResolvers<void>()
  const held = [places.hold(two('a', 'x'), () => work.promise), places.hold(two('a', 'y'), () => work.promise)]
  await expect(places.hold(two('z', 'a'), async () => 1)).rejects.toMatchObject({ code: 'too_many_requests' })
  expect(await places.hold(two('b', 'x'), async () => 2)).toBe(2)
  expect(await places.hold([{ key: 'a', most: 3 }], async () => 3)).toBe(3)
  work.resolve()
  await Promise.all(held)
  await expect(places.hold(two('a'), () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(await Promise.all([places.hold(two('a'), async () => 4), places.hold(two('a'), async () => 5)])).toEqual([
    4, 5,
  ])
})
