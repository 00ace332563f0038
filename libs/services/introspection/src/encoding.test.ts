import { expect, test } from '@jest/globals'
import { IntrospectionService, WatchResponse } from '@countersign/contracts/introspection'
import { encodedOnce } from './encoding.ts'

const { responseSerialize } = encodedOnce(IntrospectionService).watch
const push = { revision: '0:ab:1', tip: 't', previousTip: 's', facts: [{ kind: 'token', id: 'x', tip: '' }] }

test('a push that goes to many is encoded once', () => {
  const message: WatchResponse = { say: { $case: 'push', value: push } }
  const bytes = responseSerialize(message)
  expect(responseSerialize(message)).toBe(bytes)
  expect(WatchResponse.decode(bytes)).toEqual(message)
})

test('an answer is for one, and not kept', () => {
  const message: WatchResponse = { say: { $case: 'answer', value: { nonce: 7, logs: [] } } }
  const bytes = responseSerialize(message)
  expect(responseSerialize(message)).not.toBe(bytes)
  expect(WatchResponse.decode(bytes)).toEqual(message)
})
