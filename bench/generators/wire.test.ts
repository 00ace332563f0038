import { describe, expect, test } from '@jest/globals'
import {
  BatchIntrospectResponse,
  IntrospectResponse,
  StreamIntrospectResponse,
} from '@countersign/contracts/introspection'
import { activeAnswersIn, isActiveAnswer, streamAnswer } from './wire.ts'

const inactive = IntrospectResponse.decode(new Uint8Array())
const active: IntrospectResponse = { ...inactive, active: true, scope: 's'.repeat(300), clientId: 'batch', exp: 1 }
const batch = (responses: IntrospectResponse[]) => Buffer.from(BatchIntrospectResponse.encode({ responses }).finish())
const stream = (answer: StreamIntrospectResponse) => Buffer.from(StreamIntrospectResponse.encode(answer).finish())

describe('the check of answers as bytes', () => {
  test('tells an active answer from an inactive one', () => {
    expect(isActiveAnswer(Buffer.from(IntrospectResponse.encode(active).finish()))).toBe(true)
    expect(isActiveAnswer(Buffer.from(IntrospectResponse.encode(inactive).finish()))).toBe(false)
  })

  test('counts the answers of a batch when all are active', () => {
    expect(activeAnswersIn(batch([active, active, active]))).toBe(3)
    expect(activeAnswersIn(batch([active, inactive, active]))).toBe(-1)
    expect(activeAnswersIn(batch([]))).toBe(0)
  })

  test('reads the id of an answer on a stream, and its failure as not active', () => {
    expect(streamAnswer(stream({ id: 300, outcome: { $case: 'response', value: active }, outcomes: [] }))).toEqual({
      id: 300,
      active: true,
    })
    expect(streamAnswer(stream({ id: 7, outcome: { $case: 'response', value: inactive }, outcomes: [] }))).toEqual({
      id: 7,
      active: false,
    })
    const failure = { code: 'unavailable', message: '' }
    expect(streamAnswer(stream({ id: 7, outcome: { $case: 'failure', value: failure }, outcomes: [] })).active).toBe(
      false,
    )
  })
})
