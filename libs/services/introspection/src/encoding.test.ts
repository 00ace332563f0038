import { describe, expect, test } from '@jest/globals'
import {
  BatchIntrospectResponse,
  IntrospectionService,
  IntrospectResponse,
  StreamIntrospectResponse,
  type Outcome,
} from '@countersign/contracts/introspection'
import { encodedOnce } from './encoding.ts'

const definition = encodedOnce(IntrospectionService)
const response = (sub: string): IntrospectResponse => ({
  ...IntrospectResponse.decode(new Uint8Array()),
  active: true,
  sub,
  aud: ['urn:r'],
  revokedBy: { partition: 3, grantId: 'g', sessionId: '', subject: sub },
})
const empty = IntrospectResponse.decode(new Uint8Array())
const failure: Outcome['outcome'] = { $case: 'failure', value: { code: 'unavailable', message: 'down' } }

describe('answers put together from encoded parts', () => {
  test('are encoded once', () => {
    const one = response('one')
    expect(definition.introspect.responseSerialize(one)).toBe(definition.introspect.responseSerialize(one))
  })

  test('read as what they were', () => {
    const one = response('one')
    expect(IntrospectResponse.decode(definition.introspect.responseSerialize(one))).toEqual(one)
    const batch = { responses: [one, empty, response('two'), one] }
    expect(BatchIntrospectResponse.decode(definition.batchIntrospect.responseSerialize(batch))).toEqual(batch)
    const streamed: StreamIntrospectResponse[] = [
      { id: 300, outcome: { $case: 'response', value: one }, outcomes: [] },
      { id: 1, outcome: { $case: 'response', value: empty }, outcomes: [] },
      { id: 2, outcome: failure, outcomes: [] },
      {
        id: 3,
        outcome: undefined,
        outcomes: [
          { outcome: { $case: 'response', value: one } },
          { outcome: failure },
          { outcome: { $case: 'response', value: empty } },
        ],
      },
    ]
    for (const message of streamed) {
      expect(StreamIntrospectResponse.decode(definition.streamIntrospect.responseSerialize(message))).toEqual(message)
    }
  })
})
