import { expect, test } from '@jest/globals'
import { Failure } from '@countersign/contracts'
import { createFailureLog } from './failure-log.ts'
import { keptLog } from './testing/service.ts'

test('a thousand failures in a second are a few lines, and the next second says how many were left out', () => {
  let nowMs = 0
  const log = keptLog()
  const note = createFailureLog(log, () => nowMs)
  for (let i = 0; i < 1_000; i++) note(new Failure('unavailable', 'the store is down'), { path: '/x' })
  expect(log.lines).toHaveLength(5)
  nowMs = 1_000
  note(new Failure('unavailable', 'the store is down'), { path: '/x' })
  expect(log.lines.at(-1)).toMatchObject({ level: 'warn', fields: { omitted: 995, path: '/x' } })
})

test('what went wrong inside is an error with its cause; what the caller did wrong is no line at all', () => {
  const log = keptLog()
  const note = createFailureLog(log)
  const cause = new Error('wrong type')
  note(new Failure('internal', 'something went wrong here', { cause }), {})
  note(new Failure('invalid_request', 'token is required'), {})
  expect(log.lines).toMatchObject([{ level: 'error', fields: { err: cause } }])
})
