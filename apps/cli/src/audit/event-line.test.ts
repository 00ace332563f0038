import { describe, expect, test } from '@jest/globals'
import { PassThrough } from 'node:stream'
import type { WriteStream } from 'node:tty'
import { eventLine } from './event-line.ts'

const stdout = new PassThrough() as unknown as WriteStream
const lineOf = (fields: object) => eventLine({ index: 7, type: 'token.issued', ...fields }, { stdout })

describe('an event on one line', () => {
  test('says what happened, to whom, by whom', () => {
    const actor = { kind: 'client', id: 'batch', address: '192.0.2.7' }
    const fields = { time: '2026-01-31T12:00:00.000Z', subject: 'batch', client_id: 'batch', actor, scopes: ['a', 'b'] }
    expect(lineOf(fields)).toBe(
      '     7  2026-01-31T12:00:00.000Z  token.issued    subject=batch client=batch by=client:batch from=192.0.2.7 scope="a b"\n',
    )
  })

  test('says that it failed', () => {
    expect(lineOf({ outcome: 'failure', reason: 'wrong_secret' })).toContain('outcome=failure reason=wrong_secret')
  })

  test.each(['a\nb', '\u001b[2J', '\u202ecilbup', 'x client=admin', '"', '\u009b31m'])(
    'cannot be forged by a field: %j',
    (subject) => {
      const line = lineOf({ subject, actor: { id: subject }, type: subject, scopes: [subject] })
      expect(line).toMatch(/^[\x20-\x7e]+\n$/)
      expect(line).not.toMatch(/ client=admin [^"]*$/)
    },
  )

  test('says nothing of what is not there, or is something else than it should be', () => {
    expect(lineOf({ subject: 5, actor: null, scopes: 'x', time: undefined })).toBe('     7    token.issued\n')
  })
})
