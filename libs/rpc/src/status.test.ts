import { describe, expect, test } from '@jest/globals'
import { Metadata, status, type ServiceError } from '@grpc/grpc-js'
import { asFailure, Failure, failureCodes } from '@countersign/contracts'
import { failureOf, statusOf } from './status.ts'

const error = (code: status, details: string, metadata = new Metadata()): ServiceError =>
  Object.assign(new Error(details), { code, details, metadata })

describe('Failure and gRPC status', () => {
  test.each(failureCodes.filter((code) => code !== 'internal'))('%s survives the way there and back', (code) => {
    const sent = statusOf(new Failure(code, 'do this instead', { retryAfterSeconds: 7 }))
    const received = failureOf(error(sent.code, sent.details, sent.metadata))
    expect(received).toMatchObject({ code, message: 'do this instead', retryAfterSeconds: 7 })
  })

  test('an internal failure says nothing of what went wrong', () => {
    const sent = statusOf(new Failure('internal', 'redis://user:secret@host is down', { cause: new Error('secret') }))
    expect(JSON.stringify(sent)).not.toMatch(/secret|redis/)
    expect(sent.code).toBe(status.INTERNAL)
    expect(statusOf(asFailure(new Error('secret'))).details).not.toContain('secret')
  })

  test('a status that no Failure came with names no host', () => {
    const received = failureOf(error(status.UNAVAILABLE, 'connect ECONNREFUSED 10.1.2.3:50051'))
    expect(received.code).toBe('unavailable')
    expect(received.message).not.toContain('10.1.2.3')
    expect((received.cause as Error).message).toContain('10.1.2.3')
  })

  test('an unknown code in the trailer counts for nothing', () => {
    const metadata = new Metadata()
    metadata.set('countersign-failure', 'root_access')
    expect(failureOf(error(status.NOT_FOUND, 'gone', metadata)).code).toBe('not_found')
  })

  test('a message that cannot be percent-encoded, or is long, still travels', () => {
    const { details } = statusOf(new Failure('invalid_request', `\ud800${'x'.repeat(10_000)}`))
    expect(() => encodeURI(details)).not.toThrow()
    expect(details.length).toBeLessThanOrEqual(512)
  })
})
