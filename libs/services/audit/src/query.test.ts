import { describe, expect, test } from '@jest/globals'
import { Outcome } from '@countersign/contracts/events'
import { searchQuery, streamQuery } from './query.ts'

const search = (query: string) => searchQuery(`/audit/v1/events?${query}`)

test('without parameters: everything, newest first, a hundred at a time', () => {
  expect(searchQuery('/audit/v1/events')).toMatchObject({ filter: {}, page: { order: 'desc', limit: 100 } })
  expect(searchQuery('/audit/v1/events').page).not.toHaveProperty('after')
})

test('every filter is read', () => {
  const query =
    'type=token.*,login.failed&type=client.created&subject=a%20b&client_id=c&grant_id=g&token_fingerprint=f&actor=x' +
    '&outcome=failure&from=2026-01-31T12:00:00%2B01:00&to=1800000000000&order=asc&limit=1000'
  expect(search(query)).toMatchObject({
    filter: {
      types: ['token.*', 'login.failed', 'client.created'],
      subject: 'a b',
      clientId: 'c',
      grantId: 'g',
      tokenFingerprint: 'f',
      actor: 'x',
      outcome: Outcome.FAILURE,
      from: Date.UTC(2026, 0, 31, 11),
      to: 1_800_000_000_000,
    },
    page: { order: 'asc', limit: 1_000 },
  })
})

test.each([
  ['colour=red', 'known are: type, subject, client_id'],
  ['Type=token.issued', 'known are'],
  ['__proto__=x', 'known are'],
  ['subject=', 'subject is empty'],
  ['subject=a&subject=b', 'subject is given more than once'],
  [`subject=${'x'.repeat(513)}`, 'subject is too long'],
  ['type=', 'type is empty'],
  ['type=token.issued,', 'type is like'],
  ['type=*', 'type is like'],
  ['type=token.*.x', 'type is like'],
  ["type=token'--", 'type is like'],
  [`type=${Array.from({ length: 33 }, (_, n) => `t${n}`).join(',')}`, 'at most 32'],
  ['outcome=maybe', 'outcome is'],
  ['outcome=constructor', 'outcome is'],
  ['order=up', 'order is'],
  ['limit=0', 'limit is'],
  ['limit=1001', 'limit is'],
  ['limit=-1', 'limit is'],
  ['limit=1e2', 'limit is'],
  ['from=yesterday', 'from is like'],
  ['from=2026-13-01T00:00:00Z', 'from is like'],
  ['to=2026-01-01', 'to is like'],
  ['to=9999999999999999', 'to is like'],
  ['cursor=xyz', 'cursor is not'],
  ['cursor=%00', 'cursor is not'],
  [`cursor=${'A'.repeat(400)}`, 'cursor is not'],
])('a mistake is refused with what is expected: %s', (query, expected) => {
  expect(() => search(query)).toThrow(expect.objectContaining({ code: 'invalid_request' }))
  expect(() => search(query)).toThrow(expected)
})

describe('a cursor', () => {
  const cursor = search('subject=a&limit=5').cursorAfter(42)

  test('goes on behind its index, for pages of any size', () => {
    expect(cursor).toMatch(/^[\w-]+$/)
    expect(search(`subject=a&limit=7&cursor=${cursor}`).page).toEqual({ order: 'desc', limit: 7, after: 42 })
  })

  test('belongs to one filter and one order', () => {
    for (const query of ['', 'subject=b&', 'subject=a&order=asc&', 'subject=a&outcome=failure&'])
      expect(() => search(`${query}cursor=${cursor}`)).toThrow('another search')
  })

  test('is refused when anything of it was changed', () => {
    const inside = Buffer.from(cursor, 'base64url').toString()
    const forged = [inside.replace('42', '-1'), inside.replace('42', '042'), inside.replace('1.', '2.'), `${inside}.1`]
    for (const text of forged)
      expect(() => search(`subject=a&cursor=${Buffer.from(text).toString('base64url')}`)).toThrow('not one of ours')
    expect(() => search(`subject=a&cursor=${cursor}=`)).toThrow('not one of ours')
  })
})

describe('the query of a stream', () => {
  const stream = (query: string, header?: string) => streamQuery(`/audit/v1/events/stream?${query}`, header)

  test('takes filters, and where to go on', () => {
    expect(stream('type=token.*&last_event_id=7')).toEqual({ filter: { types: ['token.*'] }, after: 7 })
    expect(stream('')).toEqual({ filter: {}, after: undefined })
  })

  test('the header goes before the parameter, which a reconnecting browser repeats', () => {
    expect(stream('last_event_id=7', '12').after).toBe(12)
    expect(stream('last_event_id=7', '').after).toBe(7)
  })

  test.each(['from=1', 'order=asc', 'limit=5', 'cursor=x', 'last_event_id=-1', 'last_event_id=1.5', 'last_event_id=x'])(
    'refuses what a stream cannot have: %s',
    (query) => expect(() => stream(query)).toThrow(expect.objectContaining({ code: 'invalid_request' })),
  )

  test('refuses a header that is no index', () => {
    expect(() => stream('', '1;2')).toThrow('the last event id')
  })
})
