import { afterEach, describe, expect, test } from '@jest/globals'
import { createVerifier, type Verifier, type VerifierOptions } from './index.ts'

const credentials = { clientId: 'reports-api', clientSecret: 'secret' }
const target = '127.0.0.1:1'
const made: Verifier[] = []
const create = (options: VerifierOptions): Verifier => {
  const verifier = createVerifier({ log: { info: () => undefined, warn: () => undefined }, ...options })
  made.push(verifier)
  return verifier
}
afterEach(() => made.splice(0).forEach((verifier) => verifier.close()))

describe('a verifier is made', () => {
  test.each<[string, VerifierOptions, RegExp]>([
    ['an empty target', { target: '', credentials }, /target is empty/],
    ['a blank target', { target: ' \t\n', credentials }, /target is empty/],
    ['an empty target and nothing else', { target: '' }, /target is empty/],
    ['a target that is nothing', { target: null as unknown as string }, /target is empty/],
    ['no credentials', { target }, /credentials are needed/],
    ['half of the credentials', { target, credentials: { clientId: 'a', clientSecret: '' } }, /both needed/],
    ['an empty secret of spaces', { target, credentials: { clientId: 'a', clientSecret: ' ' } }, /both needed/],
    ['no client id', { target, credentials: { clientId: '', clientSecret: 'a' } }, /both needed/],
    ['empty credentials, but no target', { credentials: { clientId: '', clientSecret: '' } }, /both needed/],
    ['an empty certificate', { target, tls: { cert: '', key: 'x' } }, /tls\.cert is empty/],
    ['an empty key', { target, tls: { cert: 'x', key: Buffer.alloc(0) } }, /tls\.key is empty/],
    ['an empty authority', { target, credentials, tls: { ca: '\n' } }, /tls\.ca is empty/],
    ['half of a certificate', { target, tls: { cert: 'x' } }, /tls\.cert and tls\.key/],
    ['TLS without a way to say who asks', { target, tls: { ca: 'x' } }, /credentials are needed/],
    ['credentials, but no target', { credentials }, /target is missing/],
    ['a certificate, but no target', { tls: { cert: 'x', key: 'x' } }, /target is missing/],
    ['an authority, but no target', { target: undefined, tls: { ca: 'x' } }, /target is missing: who gives tls/],
    ['TLS, but no target', { target: undefined, tls: {} }, /target is missing: who gives tls/],
    ['a server’s name, but no target', { tls: { serverName: 'x' } }, /target is missing/],
    ['plaintext allowed, but no target', { allowPlaintext: true }, /target is missing: who gives allowPlaintext/],
    ['plaintext not allowed, but no target', { allowPlaintext: false }, /target is missing/],
    ['a staleness too small', { target, credentials, maxStalenessMs: 79 }, /0, or a whole number from 80 to 600000/],
    ['a staleness too large', { target, credentials, maxStalenessMs: 600_001 }, /maxStalenessMs/],
    ['a negative staleness', { target, credentials, maxStalenessMs: -1 }, /maxStalenessMs/],
    ['a staleness that is no number', { target, credentials, maxStalenessMs: NaN }, /maxStalenessMs/],
    ['a broken staleness', { target, credentials, maxStalenessMs: 100.5 }, /maxStalenessMs/],
    ['no time to answer', { target, credentials, deadlineMs: 0 }, /deadlineMs/],
    ['no end of time to answer', { target, credentials, deadlineMs: Infinity }, /deadlineMs/],
    ['a negative number of entries', { target, credentials, cacheEntries: -1 }, /cacheEntries/],
    ['endless entries', { target, credentials, cacheEntries: Infinity }, /cacheEntries/],
    ['plaintext to another machine', { target: 'introspection.example:50051', credentials }, /needs TLS/],
    ['mistakes though there is no target', { maxStalenessMs: 1 }, /maxStalenessMs/],
  ])('not with %s', (_, options, message) => {
    expect(() => create(options)).toThrow(message)
  })

  test('with what it needs, and is not connected yet', async () => {
    const verifier = create({ target, credentials, deadlineMs: 10_000 })
    expect(verifier.stats()).toMatchObject({ isWatching: false, anonymous: 0 })
    await expect(verifier.verify('cs_at_x')).rejects.toMatchObject({ code: 'unavailable' })
  })

  test.each<VerifierOptions>([
    { target, credentials, maxStalenessMs: 0 },
    { target, credentials, maxStalenessMs: 80, cacheEntries: 0 },
    { target: 'dns:///introspection.example:50051', credentials, tls: {} },
    { target: 'introspection.example:50051', credentials, allowPlaintext: true },
  ])('with %j', (options) => {
    create(options)
  })

  test('and once closed gives no verdict', async () => {
    const verifier = create({ target, credentials })
    verifier.close()
    await expect(verifier.verify('cs_at_x')).rejects.toMatchObject({ code: 'unavailable' })
  })
})
