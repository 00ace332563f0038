import { describe, expect, test } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import { Failure } from '@countersign/contracts'
import { TokenKind } from '@countersign/contracts/records'
import { buildClients, createTokenFormat, Secrets, tagKeyFrom } from '@countersign/tokens'
import { createIntrospectionEngine } from './engine.ts'

const format = createTokenFormat(tagKeyFrom(randomBytes(32)))
const caller = buildClients([{ id: 'gateway', introspect: ['*'] }], [], new Secrets(), {
  accessTokenMs: 1,
  refreshTokenMs: 1,
}).get('gateway')!
const { token } = format.mint(TokenKind.ACCESS_TOKEN, 0, randomBytes(32))
const open = { blockedSeconds: () => undefined, fail: () => undefined }

/** Whoever asks it for a key is asked too much. */
const keyRing = { verify: () => Promise.reject(new Error('asked')) }
const rest = { format, keyRing, issuer: 'https://issuer.example', now: Date.now }

describe('the introspection engine', () => {
  test('asks the store nothing about what was never a token', () => {
    const reader = { follow: () => Promise.reject(new Error('asked')) }
    const engine = createIntrospectionEngine({ ...rest, reader, scanning: open })
    for (const made of ['x', 'cs_at_x', token.slice(0, -1), token.replace('cs_at', 'cs_pat')]) {
      expect(engine.introspect(caller, made)).toBeNull()
    }
  })

  test('asks the store once about a token', async () => {
    const keys: string[] = []
    const reader = { follow: (key: string) => (keys.push(key), Promise.resolve(undefined)) }
    const engine = createIntrospectionEngine({ ...rest, reader, scanning: open })
    expect(await engine.introspect(caller, token)).toBeNull()
    expect(keys).toEqual([`0:token/${format.parse(token)!.digest}`])
  })

  test('gives no verdict when the store cannot be asked', async () => {
    const reader = { follow: () => Promise.reject(new Failure('unavailable', 'down')) }
    const engine = createIntrospectionEngine({ ...rest, reader, scanning: open })
    await expect(engine.introspect(caller, token)).rejects.toMatchObject({ code: 'unavailable' })
  })

  test('counts inactive answers, and stops listening when told to', async () => {
    const failures: string[] = []
    const scanning = {
      blockedSeconds: () => (failures.length > 1 ? 3 : undefined),
      fail: (key: string) => void failures.push(key),
    }
    const reader = { follow: () => Promise.resolve(undefined) }
    const engine = createIntrospectionEngine({ ...rest, reader, scanning })
    await engine.introspect(caller, token)
    await engine.introspect(caller, 'x')
    expect(failures).toEqual(['gateway', 'gateway'])
    expect(() => engine.introspect(caller, token)).toThrow(expect.objectContaining({ code: 'too_many_requests' }))
  })
})
