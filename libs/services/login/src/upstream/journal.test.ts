import { expect, test } from '@jest/globals'
import { Failure } from '@countersign/contracts'
import { FailureJournal } from './journal.ts'

test('of failures with one provider five are written down a second, and the next line says how many were not', () => {
  const lines: [level: string, fields: object][] = []
  const log = {
    warn: (fields: object) => void lines.push(['warn', fields]),
    error: (fields: object) => void lines.push(['error', fields]),
  }
  let nowMs = 0
  const journal = new FailureJournal('hub', log, () => nowMs)
  const cause = new Error('why')
  for (let times = 0; times < 100; times++) journal.write(new Failure('invalid_request', 'start again', { cause }))
  expect(lines).toHaveLength(5)
  expect(lines[0]).toEqual(['warn', { provider: 'hub', code: 'invalid_request', err: cause, omitted: undefined }])
  nowMs = 1_000
  journal.write(new Failure('internal', 'something went wrong here', { cause }))
  journal.warn('a claim')
  expect(lines.slice(5)).toEqual([
    ['error', { provider: 'hub', code: 'internal', err: cause, omitted: 95 }],
    ['warn', { provider: 'hub', reason: 'a claim', omitted: undefined }],
  ])
})
