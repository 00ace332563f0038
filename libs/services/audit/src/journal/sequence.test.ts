import { expect, test } from '@jest/globals'
import { arrive, type SequenceState } from './sequence.ts'

const start: SequenceState = { highest: 0, holes: [] }

test('a dense sequence has no holes, in whatever order a batch brings it', () => {
  expect(arrive(start, [1, 2, 3], 5)).toEqual({ highest: 3, holes: [] })
  expect(arrive(start, [3, 1, 2], 5)).toEqual({ highest: 3, holes: [] })
})

test('a number beyond the next opens a hole, named by what opened it', () => {
  expect(arrive(start, [2, 7], 5)).toEqual({
    highest: 7,
    holes: [
      { first: 1, last: 1, since: 5, openedBy: 2 },
      { first: 3, last: 6, since: 5, openedBy: 7 },
    ],
  })
})

test('what fills a hole in its middle leaves two pieces with its name and its age', () => {
  const state = arrive(arrive(start, [9], 5), [4, 8], 99)
  expect(state).toEqual({
    highest: 9,
    holes: [
      { first: 1, last: 3, since: 5, openedBy: 9 },
      { first: 5, last: 7, since: 5, openedBy: 9 },
    ],
  })
})

test('any shuffling of a sequence, in batches of any size, ends without holes', () => {
  let seed = 7
  const random = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647
  for (let round = 0; round < 50; round++) {
    const numbers = Array.from({ length: 60 }, (_, n) => n + 1).sort(() => random() - 0.5)
    const seen = new Set<number>()
    let state = start
    while (numbers.length > 0) {
      const batch = numbers.splice(0, 1 + Math.floor(random() * 9))
      for (const number of batch) seen.add(number)
      state = arrive(state, batch, round)
      const missing = state.holes.flatMap(({ first, last }) =>
        Array.from({ length: last - first + 1 }, (_, n) => first + n),
      )
      const expected = Array.from({ length: Math.max(...seen) }, (_, n) => n + 1).filter((number) => !seen.has(number))
      expect(missing.toSorted((a, b) => a - b)).toEqual(expected)
    }
    expect(state).toEqual({ highest: 60, holes: [] })
  }
})
