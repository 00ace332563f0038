import { describe, expect, test } from '@jest/globals'
import { readJws } from './jws.ts'

const part = (json: string): string => Buffer.from(json).toString('base64url')
const read = (payload: string) => readJws(`${part('{"alg":"ES256"}')}.${part(payload)}.AAAA`, 200_000)?.payload

describe('a JWS that somebody sends', () => {
  test('is taken apart, whatever its strings look like', () => {
    const payload = { a: '":{', 'b"c': ['"d":1', { e: '\\', f: '\\":' }], g: ' " : ' }
    expect(read(JSON.stringify(payload, null, 1))).toEqual(payload)
  })

  test.each([
    '{"a":1,"a":2}',
    '{"a":1,"\\u0061":2}',
    '{"b":{"a":1,"a" :2}}',
    '{"b":[{"a":1,"a":2}]}',
    '[]',
    '"a"',
    '{',
  ])('is nothing with the payload %s', (payload) => expect(read(payload)).toBeUndefined())

  test('costs no more the more quotes it has', () => {
    const startedMs = performance.now()
    expect(read(`{"a":"${'\\"'.repeat(50_000)}"}`)).toBeDefined()
    expect(performance.now() - startedMs).toBeLessThan(200)
  })
})
