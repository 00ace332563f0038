import { describe, expect, test } from '@jest/globals'
import { Failure } from '@countersign/contracts'
import { revocationOf, setting, tokenText, turn } from './testing/setting.ts'

/** A verifier with its first proof. */
const watching = (...parts: Parameters<typeof setting>) => {
  const made = setting(...parts)
  made.upstream.stream.prove()
  return made
}

describe('a verifier', () => {
  test('asks once, and answers from memory', async () => {
    const { verifier, issue, asked } = watching()
    const token = issue('ann')
    const first = await verifier.verify(token)
    expect(first).toEqual({
      ok: true,
      token: {
        subject: 'subject of ann',
        clientId: 'web',
        scopes: new Set(['read:reports', 'write:reports']),
        roles: ['editor'],
        attributes: {},
        audience: ['https://reports.example'],
        issuer: 'https://issuer.example',
        expiresAt: 1_700_000_300,
        issuedAt: 1_700_000_000,
        id: 'id of ann',
        confirmation: undefined,
        actors: [],
        isAnonymous: false,
      },
    })
    expect(await verifier.verify(token)).toEqual(first)
    expect(asked()).toEqual([[token]])
    expect(verifier.stats()).toMatchObject({ hits: 1, misses: 1, questions: 1, messages: 1, entries: 1 })
  })

  test('tells what is missing for what is required', async () => {
    const { verifier, issue } = watching()
    const token = issue('ann')
    const errorFor = async (requirements: object) => {
      const verification = await verifier.verify(token, requirements)
      return verification.ok ? 'ok' : [verification.error, verification.description, verification.token?.subject]
    }
    expect(await errorFor({ scopes: ['read:reports', 'write:reports'], roles: ['editor'] })).toBe('ok')
    expect(await errorFor({ scopes: [], roles: [], audience: 'https://reports.example' })).toBe('ok')
    const lacks = ['insufficient_scope', 'the token lacks the scope admin', 'subject of ann']
    expect(await errorFor({ scopes: ['read:reports', 'admin'] })).toEqual(lacks)
    expect((await errorFor({ scopes: ['read'] }))[1]).toBe('the token lacks the scope read')
    expect((await errorFor({ roles: ['owner'] })).slice(0, 2)).toEqual([
      'insufficient_scope',
      'the role owner is needed',
    ])
    expect((await errorFor({ audience: 'https://mail.example', scopes: ['admin'] }))[0]).toBe('invalid_token')
  })

  test('gives everybody one token object, which nobody can change', async () => {
    const { verifier, issue } = watching()
    const verification = await verifier.verify(issue('ann'))
    const token = verification.ok ? verification.token : undefined
    expect(() => Object.assign(token!, { subject: 'root' })).toThrow(TypeError)
    expect(() => (token!.roles as string[]).push('admin')).toThrow(TypeError)
  })

  test('takes a role of two words for one role', async () => {
    const { verifier, issue } = watching()
    const [one, two] = [issue('one', { roles: ['domain admin'] }), issue('two', { roles: ['domain', 'admin'] })]
    const holds = async (token: string, role: string) => (await verifier.verify(token, { roles: [role] })).ok
    expect(await holds(one, 'admin')).toBe(false)
    expect(await holds(two, 'admin')).toBe(true)
    expect(await holds(two, 'domain admin')).toBe(false)
  })

  test('asks nobody about what is no token', async () => {
    const { verifier, asked } = watching()
    for (const text of ['', 'a b', 'täken', 'x'.repeat(4_097), 'a\0b', '=', undefined, null, 7, {}]) {
      expect(await verifier.verify(text as string)).toMatchObject({ ok: false, error: 'invalid_token' })
    }
    await turn()
    expect(asked()).toEqual([])
  })

  test('remembers inactive tokens for a while', async () => {
    const { verifier, asked, clock, upstream } = watching()
    const refused = { ok: false, error: 'invalid_token' }
    expect(await verifier.verify(tokenText('unknown'))).toMatchObject(refused)
    expect(await verifier.verify(tokenText('unknown'))).toMatchObject(refused)
    expect(await verifier.verify('of-another-kind')).toMatchObject(refused)
    expect(await verifier.verify('of-another-kind')).toMatchObject(refused)
    expect(asked()).toEqual([[tokenText('unknown')], ['of-another-kind']])
    clock.advance(10_000)
    upstream.stream.prove()
    await verifier.verify(tokenText('unknown'))
    expect(asked()).toHaveLength(3)
  })

  test('refuses what was revoked as soon as it hears of it, without asking', async () => {
    const { verifier, issue, upstream, asked } = watching()
    const [one, other] = [issue('one'), issue('other')]
    await Promise.all([verifier.verify(one), verifier.verify(other)])
    upstream.stream.push(revocationOf(one))
    expect(await verifier.verify(one)).toMatchObject({ ok: false, error: 'invalid_token' })
    expect(await verifier.verify(other)).toMatchObject({ ok: true })
    expect(asked()).toHaveLength(1)
  })

  test.each([
    { kind: 'grant', id: 'grant-ann' },
    { kind: 'session', id: 'session-ann' },
  ] as const)('refuses what a revoked $kind has ended, without asking', async (fact) => {
    const { verifier, issue, upstream, asked } = watching()
    const [token, other] = [issue('ann'), issue('ben')]
    await Promise.all([verifier.verify(token), verifier.verify(other)])
    upstream.stream.push(fact)
    expect(await verifier.verify(token)).toMatchObject({ ok: false })
    expect(await verifier.verify(other)).toMatchObject({ ok: true })
    expect(asked()).toHaveLength(1)
  })

  test.each([
    { kind: 'subject', id: 'person-ann' },
    { kind: 'client', id: 'web' },
  ] as const)('asks again about the tokens of a $kind about whom there is news', async (fact) => {
    const { verifier, issue, upstream, asked } = watching()
    const token = issue('ann')
    await verifier.verify(token)
    upstream.stream.push(fact)
    upstream.tokens.delete(token)
    expect(await verifier.verify(token)).toMatchObject({ ok: false })
    expect(asked()).toHaveLength(2)
  })

  test('asks again when its lease has run out, and gives no verdict when nobody answers', async () => {
    const { verifier, issue, upstream, clock, asked } = watching()
    const token = issue('ann')
    await verifier.verify(token)
    clock.advance(996)
    upstream.isAnswering = false
    const verdict = verifier.verify(token)
    await turn()
    expect(asked()).toEqual([[token], [token]])
    clock.advance(2_000)
    await expect(verdict).rejects.toMatchObject({ code: 'deadline_exceeded' })
    upstream.stream.prove()
    expect(await verifier.verify(token)).toMatchObject({ ok: true })
  })

  test('does not take an answer for longer than its token lives', async () => {
    const { verifier, issue, upstream, clock, asked } = watching()
    const token = issue('short', { exp: Math.floor(clock.now() / 1_000) + 2 })
    await verifier.verify(token)
    clock.advance(1_999)
    upstream.stream.prove()
    expect(await verifier.verify(token)).toMatchObject({ ok: true })
    upstream.tokens.delete(token)
    clock.advance(1)
    upstream.stream.prove()
    expect(await verifier.verify(token)).toMatchObject({ ok: false })
    expect(asked()).toHaveLength(2)
  })

  test('keeps nothing before the first proof, nor what was asked for before it', async () => {
    const { verifier, issue, upstream, asked } = setting()
    const token = issue('ann')
    upstream.isAnswering = false
    const early = verifier.verify(token)
    await turn()
    upstream.stream.prove()
    upstream.messages[0]!.answer()
    expect(await early).toMatchObject({ ok: true })
    upstream.isAnswering = true
    await verifier.verify(token)
    await verifier.verify(token)
    expect(asked()).toEqual([[token], [token]])
  })

  test('does not keep an answer that a revocation has overtaken', async () => {
    const { verifier, issue, upstream, asked } = watching()
    const token = issue('ann')
    upstream.isAnswering = false
    const early = verifier.verify(token)
    await turn()
    upstream.stream.push(revocationOf(token))
    upstream.messages[0]!.answer()
    expect(await early).toMatchObject({ ok: true })
    upstream.tokens.delete(token)
    upstream.isAnswering = true
    expect(await verifier.verify(token)).toMatchObject({ ok: false })
    expect(asked()).toHaveLength(2)
  })

  test.each([
    ['does not say what would revoke it', undefined],
    [
      'names another partition than the token does',
      { partition: 1, grantId: 'g', sessionId: '', subject: '', also: [] },
    ],
  ])('does not keep an answer that %s', async (_, revokedBy) => {
    const { verifier, issue, asked, upstream } = setting()
    const { nonce } = upstream.stream.all('probe')[0]!
    const log = { tip: '', complete: true, otherHistory: false, facts: [] }
    const logs = ['0:aa:0', '1:aa:0'].map((revision) => ({ ...log, revision }))
    upstream.stream.tell({ say: { $case: 'answer', value: { nonce, logs } } })
    const token = issue('ann', { revokedBy })
    expect(await verifier.verify(token)).toMatchObject({ ok: true })
    expect(await verifier.verify(token)).toMatchObject({ ok: true })
    expect(asked()).toHaveLength(2)
  })

  test('asks with the revision that it knows, or that is required', async () => {
    const { verifier, upstream, issue } = watching()
    const token = issue('ann')
    upstream.stream.push({ kind: 'token', id: 'another' })
    await verifier.verify(token, { minRevision: '0:aa:1' })
    await verifier.verify(token, { minRevision: '0:aa:1' })
    expect(upstream.messages).toHaveLength(1)
    await verifier.verify(token, { minRevision: '0:aa:2' })
    await verifier.verify('of-another-kind')
    const questions = upstream.messages.flatMap((message) => message.questions)
    const known = `0:aa:1~${upstream.log.tip}`
    expect(questions.map(({ minRevision }) => minRevision)).toEqual([`0:aa:1 ${known}`, `0:aa:2 ${known}`, known])
    expect(questions.map(({ staleness }) => staleness?.value)).toEqual([1_000, 1_000, 1_000])
  })

  test.each([
    ['no staleness is allowed', 0, 1_000],
    ['no entries are allowed', 1_000, 0],
  ])('keeps and watches nothing when %s', async (_, maxStalenessMs, cacheEntries) => {
    const { verifier, upstream, issue, asked } = setting({ maxStalenessMs, cacheEntries })
    const token = issue('ann')
    await verifier.verify(token)
    await verifier.verify(token)
    expect(asked()).toEqual([[token], [token]])
    expect(upstream.streams).toEqual([])
    expect(upstream.messages[0]!.questions[0]).toMatchObject({ minRevision: '', staleness: { value: maxStalenessMs } })
    expect(verifier.stats()).toMatchObject({ entries: 0, negativeEntries: 0, isWatching: false })
  })

  test('keeps as many answers as it is told to, within bytes for as many of usual size', async () => {
    const { verifier, issue } = watching({ cacheEntries: 300_000 })
    await Promise.all(Array.from({ length: 5_000 }, (_, n) => verifier.verify(issue(`t${n}`))))
    const { entries, bytes } = verifier.stats()
    expect(entries).toBe(5_000)
    expect((bytes / entries) * 300_000).toBeLessThan(300_000 * 640)
    const few = watching({ cacheEntries: 10 })
    await Promise.all(Array.from({ length: 100 }, (_, n) => few.verifier.verify(few.issue(`t${n}`))))
    expect(few.verifier.stats()).toMatchObject({ entries: 10, evicted: 90 })
  })

  test('warns when the store went back', async () => {
    const { upstream, lines, verifier, issue, clock } = watching()
    const token = issue('ann')
    await verifier.verify(token)
    upstream.log.epoch = 'bb'
    clock.advance(250)
    upstream.stream.prove()
    expect(lines.filter((line) => /went back/.test(line))).toHaveLength(1)
    expect(verifier.stats()).toMatchObject({ flushes: 1, rollbacks: 1 })
  })

  test('closes everything', () => {
    const { verifier, upstream, clock } = watching()
    const { stream } = upstream
    verifier.close()
    expect([stream.isClosed, upstream.isClosed, verifier.stats().isWatching]).toEqual([true, true, false])
    clock.advance(60_000)
    expect(upstream.streams).toEqual([stream])
  })

  test('tells its figures as Prometheus reads them', async () => {
    const { verifier, issue } = watching()
    const token = issue('ann')
    await verifier.verify(token)
    await verifier.verify(token)
    const lines = verifier.metrics().split('\n')
    expect(lines).toEqual(
      expect.arrayContaining(['# TYPE countersign_verifier_hits_total counter', 'countersign_verifier_hits_total 1']),
    )
    expect(lines).toEqual(
      expect.arrayContaining(['# TYPE countersign_verifier_watching gauge', 'countersign_verifier_watching 1']),
    )
    expect(lines).toContain('countersign_verifier_negative_entries 0')
    expect(lines.every((line) => /^(# TYPE \w+ (gauge|counter)|\w+ \d+|)$/.test(line))).toBe(true)
    expect(verifier.metrics()).not.toContain(token)
  })

  test('fails as the service does, without a verdict', async () => {
    const { verifier, upstream, issue } = watching()
    upstream.isAnswering = false
    const verdict = verifier.verify(issue('ann'))
    await turn()
    upstream.messages[0]!.fail(new Failure('invalid_client', 'wrong secret'))
    await expect(verdict).rejects.toMatchObject({ code: 'invalid_client', message: 'wrong secret' })
    expect(verifier.stats().failures).toBe(1)
  })
})
