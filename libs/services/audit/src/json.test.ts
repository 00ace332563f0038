import { expect, test } from '@jest/globals'
import { ActorKind, Outcome } from '@countersign/contracts/events'
import { eventOf, recordOf } from './conformance/events.ts'
import type { JournalEntry } from './journal/port.ts'
import { entryJson } from './json.ts'

const entry = (given: Parameters<typeof eventOf>[1] = {}): JournalEntry => ({ ...recordOf(7, given), index: 3 })

test('an entry has all its fields under their names', () => {
  const given = { reason: 'asked', traceparent: '00-1-2-01', attributes: { name: 'x' }, time: 1_750_000_000_123 }
  expect(JSON.parse(entryJson(entry(given)))).toEqual({
    index: 3,
    id: eventOf(7).id,
    type: 'token.issued',
    time: '2025-06-15T15:06:40.123Z',
    revision: eventOf(7).revision,
    sequence: 7,
    partition: 0,
    actor: { kind: 'client', id: 'batch', address: '192.0.2.7', user_agent: 'curl/8.14' },
    subject: 'batch',
    client_id: 'batch',
    grant_id: 'grant-of-batch',
    token_fingerprint: 'fingerprint-7',
    scopes: ['read:reports'],
    outcome: 'success',
    reason: 'asked',
    traceparent: '00-1-2-01',
    attributes: { name: 'x' },
  })
})

test('what is empty is left out', () => {
  const bare = eventOf(7)
  const nothing = {
    subject: '',
    clientId: '',
    grantId: '',
    tokenFingerprint: '',
    scopes: [],
    revision: '',
    sequence: 0,
  }
  const actor = { kind: ActorKind.UNSPECIFIED, id: '', address: '', userAgent: '' }
  const shown = JSON.parse(entryJson(entry({ ...nothing, actor, outcome: Outcome.UNSPECIFIED }))) as object
  expect(Object.keys(shown)).toEqual(['index', 'id', 'type', 'time', 'partition'])
  expect(shown).toMatchObject({ id: bare.id, partition: 0 })
})

test('an outcome or a kind of actor that is not known yet is left out', () => {
  const actor = { kind: 9 as ActorKind, id: 'x', address: '', userAgent: '' }
  const shown = JSON.parse(entryJson(entry({ actor, outcome: 9 as Outcome }))) as Record<string, unknown>
  expect(shown.actor).toEqual({ id: 'x' })
  expect(shown).not.toHaveProperty('outcome')
})

test('nothing that deceives a terminal, a page or the eye comes out as it is', () => {
  const hostile = [
    ...Array.from({ length: 0x20 }, (_, code) => String.fromCharCode(code)),
    ...Array.from({ length: 0x21 }, (_, code) => String.fromCharCode(0x7f + code)),
    ...'\u200b\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029\u2060\ufeff\u00ad',
    '\u{e0041}',
    '\ud800',
  ].join('')
  const given = {
    subject: `a${hostile}b`,
    reason: '\x1b[2J\x1b]0;title\x07',
    attributes: { [`k${hostile}`]: `\r\nevent: forged\ndata: {}\n\n${hostile}` },
    actor: { kind: ActorKind.PERSON, id: 'x', address: '', userAgent: `\u202e${hostile}` },
  }
  const json = entryJson(entry(given))
  expect(json).toMatch(/^[\x20-\x7e]*$/)
  const shown = JSON.parse(json) as { subject: string; attributes: Record<string, string> }
  expect(shown.subject).toBe(given.subject)
  expect(shown.attributes).toEqual(given.attributes)
})

test('any script is left readable', () => {
  const subject = 'Ünïcødé 字 עברית العربية 🦊'
  expect(entryJson(entry({ subject }))).toContain(subject)
})

test('an entry that something was taken out of says so', () => {
  expect(JSON.parse(entryJson({ ...entry(), redactedAt: 5 }))).toMatchObject({ index: 3, redacted: true })
  expect(JSON.parse(entryJson(entry()))).not.toHaveProperty('redacted')
})
