import { beforeEach, describe, expect, test } from '@jest/globals'
import { createSecretKey, randomBytes } from 'node:crypto'
import { Tickets } from './tickets.ts'

let now: number
const [current, previous] = [createSecretKey(randomBytes(32)), createSecretKey(randomBytes(32))]
let tickets: Tickets

beforeEach(() => {
  now = 1_000_000
  tickets = new Tickets({ keys: [current, previous], now: () => now, randomBytes })
})

describe('a ticket', () => {
  test('says what it was made with, in its browser, for what it was made for, and each has an id', () => {
    const [one, other] = [
      tickets.seal('upstream', 'b1', { a: 1 }, 1_000),
      tickets.seal('upstream', 'b1', { a: 1 }, 1_000),
    ]
    expect(tickets.open('upstream', 'b1', one)).toMatchObject({ content: { a: 1 }, expiresAt: now + 1_000 })
    expect(tickets.open('upstream', 'b1', one)!.id).not.toBe(tickets.open('upstream', 'b1', other)!.id)
    expect(tickets.open('upstream', 'b2', one)).toBeUndefined()
    expect(tickets.open('passkey', 'b1', one)).toBeUndefined()
  })

  test('hides what it says, and lets nothing be changed', () => {
    const one = tickets.seal('upstream', 'b1', { secret: 'verifier' }, 1_000)
    expect(one).toMatch(/^[\w-]+$/)
    expect(Buffer.from(one, 'base64url').toString('latin1')).not.toContain('verifier')
    for (let at = 0; at < one.length; at++) {
      const changed = `${one.slice(0, at)}${one[at] === 'A' ? 'B' : 'A'}${one.slice(at + 1)}`
      const opened = tickets.open('upstream', 'b1', changed)
      // The last letter of base64url may hold bits that mean nothing.
      if (at < one.length - 1) expect(opened).toBeUndefined()
    }
  })

  test('ends with its time', () => {
    const one = tickets.seal('second-factor', 'b1', 0, 1_000)
    now += 999
    expect(tickets.open('second-factor', 'b1', one)).toBeDefined()
    now += 1
    expect(tickets.open('second-factor', 'b1', one)).toBeUndefined()
  })

  test('outlives the change of the master key, not that of both', () => {
    const old = new Tickets({ keys: [previous], now: () => now, randomBytes }).seal('upstream', 'b1', 1, 1_000)
    expect(tickets.open('upstream', 'b1', old)).toMatchObject({ content: 1 })
    const other = new Tickets({ keys: [createSecretKey(randomBytes(32))], now: () => now, randomBytes })
    expect(other.open('upstream', 'b1', old)).toBeUndefined()
  })

  test.each(['', ' ', 'ä', 'AAAA', '.'.repeat(10), 'A'.repeat(5_000)])('is none of %j', (text) => {
    expect(tickets.open('upstream', 'b1', text)).toBeUndefined()
  })
})
