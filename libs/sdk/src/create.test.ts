import { afterEach, describe, expect, test } from '@jest/globals'
import { spawnSync } from 'node:child_process'
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
    ['an empty target', { target: ' ', credentials }, /target is empty/],
    ['no credentials', { target }, /credentials are needed/],
    ['half of the credentials', { target, credentials: { clientId: 'a', clientSecret: '' } }, /both needed/],
    ['half of a certificate', { target, tls: { cert: 'x' } }, /tls\.cert and tls\.key/],
    ['TLS without a way to say who asks', { target, tls: { ca: 'x' } }, /credentials are needed/],
    ['credentials, but no target', { credentials }, /target is missing/],
    ['a certificate, but no target', { tls: { cert: 'x', key: 'x' } }, /target is missing/],
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

describe('while authentication is off', () => {
  test('everybody is let through as anonymous, and it is said, and counted', async () => {
    const lines: string[] = []
    const log = { info: () => undefined, warn: (message: string) => void lines.push(message) }
    const verifier = create({ target: undefined, log })
    expect(lines).toEqual([expect.stringMatching(/^AUTHENTICATION IS OFF/)])
    const requirements = { scopes: ['admin'], roles: ['admin'], audience: 'https://other.example' }
    for (const token of ['', 'anything', 'cs_at_x']) {
      const verification = await verifier.verify(token, requirements)
      expect(verification).toMatchObject({ ok: true, token: { subject: 'anonymous', isAnonymous: true } })
    }
    expect(verifier.stats()).toMatchObject({ anonymous: 3, hits: 0 })
    expect(verifier.metrics()).toContain('countersign_verifier_anonymous_total 3\n')
  })

  test('it is said as a warning of the process, unless there is a log for it', () => {
    const program = `import { createVerifier } from ${JSON.stringify(import.meta.resolve('./index.ts'))}; createVerifier()`
    const { stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr: expect.stringMatching(/CountersignWarning: AUTHENTICATION IS OFF/),
    })
  })
})
