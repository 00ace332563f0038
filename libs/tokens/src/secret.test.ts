import { describe, expect, test } from '@jest/globals'
import { hashSecret, parseHashedSecret, Secrets } from './secret.ts'

describe('a client secret', () => {
  test('given in plain is kept only as a digest, which differs per process', () => {
    const [one, two] = [new Secrets().hold('correct horse'), new Secrets().hold('correct horse')]
    expect(JSON.stringify([one, two])).not.toContain('correct horse')
    expect(one).not.toEqual(two)
  })

  test('is verified at once when it was given in plain, current and previous alike', () => {
    const secrets = new Secrets()
    const held = [secrets.hold('current'), secrets.hold('previous')]
    expect(secrets.verify('current', held)).toBe(true)
    expect(secrets.verify('previous', held)).toBe(true)
    expect(secrets.verify('Current', held)).toBe(false)
    expect(secrets.verify('', held)).toBe(false)
    expect(secrets.verify('current', [])).toBe(false)
  })

  test('given as a hash costs a password hash once, and none from then on', async () => {
    const secrets = new Secrets()
    const held = [secrets.hold(await hashSecret('correct horse'))]
    const first = secrets.verify('correct horse', held)
    expect(first).toBeInstanceOf(Promise)
    expect(await first).toBe(true)
    expect(secrets.verify('correct horse', held)).toBe(true)
  })

  test('is remembered for the very secret it was verified against only', async () => {
    const secrets = new Secrets()
    const [mine, theirs] = [secrets.hold(await hashSecret('mine')), secrets.hold(await hashSecret('theirs'))]
    await secrets.verify('mine', [mine])
    expect(await secrets.verify('mine', [theirs])).toBe(false)
  })

  test('that begins as a hash and is none is refused', () => {
    for (const text of ['scrypt$', 'scrypt$99$8$5$x$y', 'scrypt$1$8$5$AAAAAAAAAAAAAAAAAAAAAA$' + 'A'.repeat(43)]) {
      expect(() => parseHashedSecret(text)).toThrow('must be made by countersign')
    }
  })

  test('cannot be guessed with all cores: what waits is bounded', async () => {
    const secrets = new Secrets()
    const held = [secrets.hold(await hashSecret('correct horse'))]
    const guesses = Array.from({ length: 80 }, (_, n) => secrets.verify(`guess ${n}`, held))
    const verdicts = await Promise.allSettled(guesses)
    const refused = verdicts.filter((verdict) => verdict.status === 'rejected')
    expect(refused.length).toBe(80 - 2 - 64)
    expect(refused[0]).toMatchObject({ reason: { code: 'too_many_requests' } })
  })
})
