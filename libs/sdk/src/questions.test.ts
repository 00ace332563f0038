import { describe, expect, test } from '@jest/globals'
import { Failure } from '@countersign/contracts'
import { limits } from './limits.ts'
import { setting, tokenText, turn } from './testing/setting.ts'

/** A watching verifier whose service waits to be told to answer. */
const waiting = (...parts: Parameters<typeof setting>) => {
  const made = setting(...parts)
  if (made.upstream.streams.length > 0) made.upstream.stream.prove()
  made.upstream.isAnswering = false
  return made
}

/** Whether it is settled by now. */
const isSettled = async (promise: Promise<unknown>): Promise<boolean> => {
  const pending = Symbol()
  await turn()
  return (await Promise.race([promise.catch(() => undefined), Promise.resolve(pending)])) !== pending
}

describe('questions', () => {
  test('of one turn go together, each token once', async () => {
    const { verifier, issue, asked, upstream } = waiting()
    const tokens = [issue('a'), issue('b'), issue('c')]
    const verdicts = Promise.all([...tokens, ...tokens].map((token) => verifier.verify(token)))
    await turn()
    expect(asked()).toEqual([tokens])
    upstream.messages[0]!.answer()
    expect((await verdicts).map((verdict) => verdict.ok && verdict.token.id)).toEqual(
      ['a', 'b', 'c', 'a', 'b', 'c'].map((name) => `id of ${name}`),
    )
    expect(verifier.stats()).toMatchObject({ questions: 3, messages: 1 })
  })

  test('of one turn go in several messages when they are many', async () => {
    const { verifier, issue, upstream } = setting()
    const verdicts = Array.from({ length: 450 }, (_, n) => verifier.verify(issue(`t${n}`)))
    expect((await Promise.all(verdicts)).every(({ ok }) => ok)).toBe(true)
    expect(upstream.messages.map(({ questions }) => questions.length)).toEqual([200, 200, 50])
  })

  test('put already are waited for, and their answer taken if it was kept and still holds', async () => {
    const { verifier, issue, asked, upstream } = waiting()
    const token = issue('a')
    const first = verifier.verify(token)
    await turn()
    const second = verifier.verify(token)
    expect(await isSettled(second)).toBe(false)
    expect(asked()).toHaveLength(1)
    upstream.messages[0]!.answer()
    expect([await first, await second]).toMatchObject([{ ok: true }, { ok: true }])
    expect(asked()).toHaveLength(1)
  })

  test('put already do not answer who came later, when their answer was not kept', async () => {
    const { verifier, issue, asked, upstream } = waiting()
    const token = issue('a')
    const first = verifier.verify(token)
    await turn()
    upstream.stream.push({ kind: 'subject', id: 'person-a' })
    const later = [verifier.verify(token), verifier.verify(token)]
    upstream.messages[0]!.answer()
    expect(await first).toMatchObject({ ok: true })
    await turn()
    expect(asked()).toEqual([[token], [token]])
    upstream.tokens.delete(token)
    upstream.messages[1]!.answer()
    expect(await Promise.all(later)).toMatchObject([{ ok: false }, { ok: false }])
  })

  test('put already do not answer who came later, when nothing proves their answer any more', async () => {
    const { verifier, issue, asked, upstream, clock } = waiting()
    const token = issue('a')
    const first = verifier.verify(token)
    await turn()
    clock.advance(1_100)
    const later = verifier.verify(token)
    upstream.messages[0]!.answer()
    await first
    expect(await isSettled(later)).toBe(false)
    expect(asked()).toHaveLength(2)
    upstream.messages[1]!.answer()
    expect(await later).toMatchObject({ ok: true })
  })

  test('put already do not answer who came later, when nothing is kept', async () => {
    const { verifier, issue, asked, upstream } = waiting({ maxStalenessMs: 0 })
    const token = issue('a')
    const first = verifier.verify(token)
    await turn()
    const later = [verifier.verify(token), verifier.verify(token)]
    upstream.messages[0]!.answer()
    await first
    await turn()
    upstream.tokens.delete(token)
    upstream.messages[1]!.answer()
    expect(await Promise.all(later)).toMatchObject([{ ok: false }, { ok: false }])
    expect(asked()).toHaveLength(2)
  })

  test('put already that fail do not fail who came later', async () => {
    const { verifier, issue, upstream } = waiting()
    const token = issue('a')
    const first = verifier.verify(token)
    await turn()
    const later = verifier.verify(token)
    upstream.messages[0]!.fail(new Failure('too_many_requests', 'slow down'))
    await expect(first).rejects.toMatchObject({ code: 'too_many_requests' })
    await turn()
    upstream.messages[1]!.answer()
    expect(await later).toMatchObject({ ok: true })
  })

  test('that need a revision go by themselves', async () => {
    const { verifier, issue, asked } = waiting()
    const token = issue('a')
    void verifier.verify(token)
    void verifier.verify(token, { minRevision: '0:aa:9' })
    await turn()
    expect(asked()).toEqual([[token, token]])
  })

  test('are put again, with what is known by then, while that makes sense', async () => {
    const { verifier, issue, asked, upstream, clock } = waiting()
    const token = issue('a')
    const verdict = verifier.verify(token)
    await turn()
    upstream.messages[0]!.fail()
    await turn()
    expect(clock.waits).toContain(20)
    upstream.stream.push({ kind: 'subject', id: 'person-a' })
    clock.advance(20)
    await turn()
    expect(upstream.messages[1]!.questions[0]!.minRevision).toBe(`0:aa:1~${upstream.log.tip}`)
    upstream.messages[1]!.answer([
      { outcome: { $case: 'failure', value: { code: 'unavailable', message: 'not now' } } },
    ])
    await turn()
    expect(clock.waits).toContain(40)
    clock.advance(40)
    await turn()
    upstream.messages[2]!.answer()
    expect(await verdict).toMatchObject({ ok: true })
    upstream.isAnswering = true
    await verifier.verify(token)
    expect(asked()).toHaveLength(3)
  })

  test('are put three times at most', async () => {
    const { verifier, issue, upstream, clock } = waiting()
    const verdict = verifier.verify(issue('a'))
    for (let n = 0; n < 3; n++) {
      await turn()
      upstream.messages[n]!.fail()
      await turn()
      clock.advance(100)
    }
    await expect(verdict).rejects.toMatchObject({ code: 'unavailable' })
    await turn()
    expect(upstream.messages).toHaveLength(3)
    expect(clock.waits.filter((ms) => ms > 1_000)).toEqual([])
  })

  test.each([
    new Failure('too_many_requests', 'slow down'),
    new Failure('invalid_client', 'who?'),
    new Failure('access_denied', 'not you'),
    new Failure('unavailable', 'overloaded', { retryAfterSeconds: 5 }),
    new TypeError('what?'),
  ])('are not put again after %s', async (thrown) => {
    const { verifier, issue, upstream, clock } = waiting()
    const verdict = verifier.verify(issue('a'))
    await turn()
    upstream.messages[0]!.fail(thrown as Failure)
    await expect(verdict).rejects.toMatchObject({ code: (thrown as Failure).code ?? 'internal' })
    clock.advance(1_000)
    await turn()
    expect(upstream.messages).toHaveLength(1)
  })

  test('fail one by one, as they are answered', async () => {
    const { verifier, issue, upstream, clock } = waiting()
    const verdicts = ['a', 'b', 'c', 'd', 'e'].map((name) => issue(name)).map((token) => verifier.verify(token))
    await turn()
    const failed = (code: string) => ({ outcome: { $case: 'failure', value: { code, message: code } } }) as const
    upstream.messages[0]!.answer([
      upstream.outcomeOf(tokenText('a')),
      failed('too_many_requests'),
      failed('invalid_request'),
      failed('internal'),
    ])
    expect(await verdicts[0]).toMatchObject({ ok: true })
    await expect(verdicts[1]).rejects.toMatchObject({ code: 'too_many_requests' })
    await expect(verdicts[2]).rejects.toMatchObject({ code: 'invalid_request' })
    // What went wrong there is asked again, as what was not answered at all.
    expect([await isSettled(verdicts[3]!), await isSettled(verdicts[4]!)]).toEqual([false, false])
    clock.advance(20)
    await turn()
    upstream.messages[1]!.answer()
    expect([await verdicts[3], await verdicts[4]]).toMatchObject([{ ok: true }, { ok: true }])
  })

  test('have one deadline, waiting for those of others and asking again included', async () => {
    const { verifier, issue, upstream, clock } = waiting()
    const token = issue('a')
    const first = verifier.verify(token)
    await turn()
    clock.advance(1_500)
    const later = verifier.verify(token)
    clock.advance(500)
    await expect(first).rejects.toMatchObject({ code: 'deadline_exceeded' })
    await turn()
    expect(upstream.messages).toHaveLength(2)
    clock.advance(1_499)
    expect(await isSettled(later)).toBe(false)
    clock.advance(1)
    await expect(later).rejects.toMatchObject({ code: 'deadline_exceeded' })
    upstream.messages[1]!.answer()
    expect(verifier.stats()).toMatchObject({ failures: 2 })
  })

  test('do not fail with those of others that they went with, and that had less time left', async () => {
    const { verifier, issue, upstream, clock } = waiting()
    const token = issue('a')
    const codes: unknown[] = []
    const first = verifier.verify(token).catch(({ code }) => codes.push(code))
    await turn()
    clock.advance(1_500)
    const second = verifier.verify(token).catch(({ code }) => codes.push(code))
    clock.advance(500)
    await first
    // The second puts its own question now; a third goes with it.
    const third = verifier.verify(token)
    await turn()
    clock.advance(1_500)
    await second
    await turn()
    upstream.messages.at(-1)!.answer()
    expect(await third).toMatchObject({ ok: true })
    expect(codes).toEqual(['deadline_exceeded', 'deadline_exceeded'])
  })

  test('are not put again when no time is left for it', async () => {
    const { verifier, issue, upstream, clock } = waiting()
    const verdict = verifier.verify(issue('a'))
    await turn()
    clock.advance(1_990)
    upstream.messages[0]!.fail()
    await expect(verdict).rejects.toMatchObject({ code: 'unavailable' })
  })

  test('are bounded: further ones fail at once, and others have room when these are answered', async () => {
    const { verifier, issue, upstream } = waiting()
    const verdicts = Array.from({ length: limits.openQuestions }, (_, n) => verifier.verify(tokenText(`t${n}`)))
    const late = issue('late')
    await expect(verifier.verify(late)).rejects.toMatchObject({ code: 'unavailable', retryAfterSeconds: 1 })
    await turn()
    for (const message of upstream.messages) message.answer()
    await Promise.all(verdicts)
    upstream.isAnswering = true
    expect(await verifier.verify(late)).toMatchObject({ ok: true })
  })

  test('put again are a fifth of all at most, once what was saved up is spent', async () => {
    const { verifier, upstream, clock } = waiting()
    const sent = () => upstream.messages.reduce((sum, { questions }) => sum + questions.length, 0)
    /** How many were put again, of so many that all fail. */
    const put = async (count: number, from: number): Promise<number> => {
      const before = sent()
      const verdicts = Array.from({ length: count }, (_, n) => verifier.verify(tokenText(`${from + n}`)))
      const settled = Promise.allSettled(verdicts)
      for (let round = 0; round < 4; round++) {
        await turn()
        for (const message of upstream.messages) message.fail()
        await turn()
        clock.advance(100)
      }
      expect((await settled).every(({ status }) => status === 'rejected')).toBe(true)
      return sent() - before - count
    }
    expect(await put(2_000, 0)).toBe(limits.mostAgains)
    expect(await put(2_000, 2_000)).toBeLessThanOrEqual(400)
  })
})
