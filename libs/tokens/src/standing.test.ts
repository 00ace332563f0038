import { describe, expect, test } from '@jest/globals'
import type { Standing as StandingRecord } from '@countersign/contracts/records'
import { subjectRecord } from './records.ts'
import { isToldOtherwise, standingOf, withStanding } from './standing.ts'

const now = 1_800_000_000_000
const standing = (provider: string, over: Partial<StandingRecord> = {}) => ({
  provider,
  roles: [],
  attributes: [],
  determinedAt: now,
  ...over,
})
const nothing = { roles: [], attributes: [] }

describe('the standing of a grant', () => {
  const anna = subjectRecord({
    id: 'anna',
    roles: ['b', 'a'],
    standings: [
      standing('staff', {
        roles: ['c', 'a'],
        attributes: [
          { name: 'z', values: ['2', '1', '2'] },
          { name: 'y', values: [] },
        ],
      }),
      standing('hub', { roles: ['d'] }),
    ],
  })

  test('is what the account has and what its provider gives, in order and nothing twice', () => {
    expect(standingOf(anna, 'staff')).toEqual({
      roles: ['a', 'b', 'c'],
      attributes: [
        { name: 'y', values: [] },
        { name: 'z', values: ['1', '2'] },
      ],
    })
    expect(standingOf(anna, 'hub').roles).toEqual(['a', 'b', 'd'])
  })

  test('is what the account has where it names no provider, or one that gives nothing', () => {
    for (const provider of ['', 'gone'])
      expect(standingOf(anna, provider)).toEqual({ roles: ['a', 'b'], attributes: [] })
    expect(standingOf({ ...anna, standings: [standing('', { roles: ['x'] })] }, '').roles).toEqual(['a', 'b'])
  })

  test('of nobody is nothing', () => {
    expect(standingOf(undefined, 'staff')).toEqual(nothing)
    expect(standingOf(subjectRecord({ id: 'anna' }), 'staff')).toEqual(nothing)
  })
})

describe('what anybody was told', () => {
  const before = subjectRecord({ id: 'anna', roles: ['a'], standings: [standing('staff', { roles: ['b'] })] })
  test.each([
    [
      'does not change with the time',
      { standings: [standing('staff', { roles: ['b'], determinedAt: now + 1 })] },
      false,
    ],
    ['does not change with the order, or what is there twice', { roles: ['a', 'a'] }, false],
    [
      'does not change by a standing that gives nothing new',
      { standings: [...before.standings, standing('hub', { roles: ['a'] })] },
      false,
    ],
    ['changes with a role of the account', { roles: ['a', 'x'] }, true],
    ['changes with a standing', { standings: [standing('staff', { roles: ['c'] })] }, true],
    [
      'changes with an attribute',
      { standings: [standing('staff', { roles: ['b'], attributes: [{ name: 'n', values: [] }] })] },
      true,
    ],
    ['changes with a standing that goes', { standings: [] }, true],
    [
      'changes with a standing that comes',
      { standings: [...before.standings, standing('hub', { roles: ['x'] })] },
      true,
    ],
  ])('%s', (_name, over, expected) => {
    expect(isToldOtherwise(before, { ...before, ...over })).toBe(expected)
  })
})

test('a sign-in that gives nothing writes nothing, and takes away what was there', () => {
  const nobody = subjectRecord({ id: 'anna' })
  expect(withStanding(nobody, 'staff', nothing, now)).toBe(nobody)
  expect(withStanding(nobody, '', { roles: ['a'], attributes: [] }, now)).toBe(nobody)
  const given = withStanding(nobody, 'staff', { roles: ['a'], attributes: [] }, now)
  expect(given.standings).toEqual([standing('staff', { roles: ['a'] })])
  expect(withStanding(given, 'staff', nothing, now)).toEqual(nobody)
})
