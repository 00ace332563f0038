import { describe, expect, test } from '@jest/globals'
import { asFailure, Failure, failureCodes } from '@countersign/contracts'
import { oauthFailure } from './oauth-error.ts'
import { problemFailure } from './problem.ts'

const body = (answer: { body?: string | Buffer }) => JSON.parse(String(answer.body)) as Record<string, unknown>

describe('a Failure over HTTP', () => {
  test.each(failureCodes)('%s is a problem and an OAuth error, neither kept by caches', (code) => {
    const failure = new Failure(code, 'say it again')
    const problem = problemFailure(failure)
    expect(problem.status).toBeGreaterThanOrEqual(400)
    expect(problem.headers).toMatchObject({ 'content-type': 'application/problem+json', 'cache-control': 'no-store' })
    expect(body(problem)).toMatchObject({ type: `urn:countersign:problem:${code}`, status: problem.status })
    const error = oauthFailure(failure)
    expect(error.headers).toMatchObject({ 'content-type': 'application/json', 'cache-control': 'no-store' })
    expect(body(error)).toEqual({ error: expect.any(String), error_description: expect.any(String) })
  })

  test.each([
    ['invalid_client', 401, 'invalid_client'],
    ['invalid_request', 400, 'invalid_request'],
    ['invalid_dpop_proof', 400, 'invalid_dpop_proof'],
    ['unsupported_media_type', 400, 'invalid_request'],
    ['method_not_allowed', 405, 'invalid_request'],
    ['too_large', 413, 'invalid_request'],
    ['too_many_requests', 429, 'temporarily_unavailable'],
    ['unavailable', 503, 'temporarily_unavailable'],
    ['internal', 500, 'server_error'],
  ] as const)('%s is OAuth’s %d %s', (code, status, error) => {
    const answer = oauthFailure(new Failure(code, 'x'))
    expect([answer.status, body(answer).error]).toEqual([status, error])
  })

  test('of what broke inside nothing is told', () => {
    const failures = [asFailure(new Error('secret')), new Failure('internal', 'secret')]
    for (const failure of failures) {
      expect(JSON.stringify([problemFailure(failure), oauthFailure(failure)])).not.toContain('secret')
    }
  })

  test('401 names the scheme, and 503 and 429 say when to come back', () => {
    const challenge = oauthFailure(new Failure('invalid_client', 'x')).headers?.['www-authenticate']
    expect(challenge).toMatch(/^Basic realm="countersign"/)
    expect(oauthFailure(new Failure('unavailable', 'x')).headers?.['retry-after']).toBe('1')
    const slow = new Failure('too_many_requests', 'x', { retryAfterSeconds: 8.2 })
    expect(problemFailure(slow).headers?.['retry-after']).toBe('9')
  })

  test('a failure may bring headers of its own', () => {
    const headers = { 'dpop-nonce': 'fresh' }
    const answer = oauthFailure(new Failure('use_dpop_nonce', 'x', { headers }))
    expect([answer.status, body(answer).error]).toEqual([400, 'use_dpop_nonce'])
    expect(answer.headers).toMatchObject({ ...headers, 'cache-control': 'no-store' })
    expect(problemFailure(new Failure('use_dpop_nonce', 'x', { headers })).headers).toMatchObject(headers)
  })

  test('a description keeps to the characters that RFC 6749 allows, and to a bound', () => {
    const described = body(oauthFailure(new Failure('invalid_request', `"ü\n\\${'x'.repeat(9_999)}`))).error_description
    expect(described).toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]{1,512}$/)
  })
})
