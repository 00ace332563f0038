import { describe, expect, test } from '@jest/globals'
import { parseRevision } from '@countersign/contracts'
import { limits } from './limits.ts'
import { revocationOf, setting, tokenText } from './testing/setting.ts'

const nonces = (made: ReturnType<typeof setting>) => made.upstream.stream.all('probe').map(({ nonce }) => nonce)

describe('a watching verifier', () => {
  test('says hello, and probes at once and four times in the length of its lease', () => {
    const made = setting({ maxStalenessMs: 2_000, name: 'reports-1' })
    const { upstream, clock } = made
    expect(upstream.stream.said[0]).toEqual({
      say: { $case: 'hello', value: { name: 'reports-1', maxStalenessMs: 2_000 } },
    })
    expect(nonces(made)).toHaveLength(1)
    clock.advance(499)
    expect(nonces(made)).toHaveLength(1)
    clock.advance(1)
    expect(nonces(made)).toHaveLength(2)
    clock.advance(1_000)
    expect(nonces(made)).toHaveLength(4)
    expect(new Set(nonces(made)).size).toBe(4)
    expect(upstream.stream.all('hello')).toHaveLength(1)
  })

  test('says with a probe where it is', () => {
    const { upstream, clock } = setting()
    expect(upstream.stream.all('probe')[0]!.places).toEqual([])
    upstream.stream.prove()
    upstream.stream.push(revocationOf(tokenText('a')), revocationOf(tokenText('b')))
    clock.advance(250)
    expect(upstream.stream.all('probe')[1]!.places).toEqual([{ revision: '0:aa:2', tip: upstream.log.tip }])
  })

  test('watches from the first proof on', () => {
    const { verifier, upstream, lines } = setting()
    upstream.stream.push(revocationOf(tokenText('a')))
    expect(verifier.stats().isWatching).toBe(false)
    upstream.stream.prove()
    expect(verifier.stats()).toMatchObject({ isWatching: true, probes: 1, proofs: 1 })
    expect(lines).toEqual(['info: Countersign is being watched'])
  })

  test('learns by a probe what was not pushed', async () => {
    const { verifier, upstream, clock, issue, asked } = setting()
    upstream.stream.prove()
    const [token, other] = [issue('a'), issue('b')]
    await Promise.all([verifier.verify(token), verifier.verify(other)])
    upstream.log.commit(revocationOf(tokenText('x')), revocationOf(tokenText('y')))
    upstream.log.commit(revocationOf(token))
    clock.advance(250)
    upstream.stream.prove()
    expect(await verifier.verify(token)).toMatchObject({ ok: false })
    expect(await verifier.verify(other)).toMatchObject({ ok: true })
    expect(asked()).toHaveLength(1)
    expect(verifier.stats()).toMatchObject({ facts: 3, flushes: 0 })
    upstream.stream.push(revocationOf(other))
    clock.advance(50)
    expect(upstream.stream.all('applied').at(-1)).toEqual({ revisions: ['0:aa:4'] })
  })

  test('acknowledges what it has applied, gathered, and each revision once', () => {
    const { upstream, clock } = setting({ random: () => 0.2 })
    upstream.stream.prove()
    for (const name of ['a', 'b', 'c']) upstream.stream.push(revocationOf(tokenText(name)))
    expect(clock.waits.filter((ms) => ms < 250)).toEqual([30])
    clock.advance(29)
    expect(upstream.stream.all('applied')).toEqual([])
    clock.advance(1)
    expect(upstream.stream.all('applied')).toEqual([{ revisions: ['0:aa:3'] }])
    clock.advance(250)
    upstream.stream.prove()
    clock.advance(50)
    expect(upstream.stream.all('applied')).toHaveLength(1)
    upstream.stream.push(revocationOf(tokenText('d')))
    clock.advance(50)
    expect(upstream.stream.all('applied')[1]).toEqual({ revisions: ['0:aa:4'] })
  })

  test('does not acknowledge facts before which one is missing', () => {
    const { upstream, clock } = setting()
    upstream.stream.prove()
    clock.advance(50)
    upstream.log.commit(revocationOf(tokenText('lost')))
    upstream.stream.push(revocationOf(tokenText('a')))
    clock.advance(50)
    expect(upstream.stream.all('applied')).toEqual([{ revisions: ['0:aa:0'] }])
  })

  test('opens its stream again, each time later, at a time that chance decides, and says so once', () => {
    const waits = (random: number) => {
      const { upstream, clock, lines } = setting({ random: () => random })
      upstream.stream.prove()
      const found: number[] = []
      for (let n = 0; n < 9; n++) {
        const { length } = upstream.streams
        upstream.stream.lose()
        let ms = 0
        for (; upstream.streams.length === length; ms++) clock.advance(1)
        found.push(ms)
      }
      expect(lines).toEqual(['info: Countersign is being watched', 'warn: Countersign is not being watched: gone'])
      return found
    }
    expect(waits(0)).toEqual([50, 100, 200, 400, 800, 1_600, 2_500, 2_500, 2_500])
    expect(waits(0.5)).toEqual([75, 150, 300, 600, 1_200, 2_400, 3_750, 3_750, 3_750])
  })

  test('begins with short waits again once a stream has brought a proof', () => {
    const { upstream, clock, lines, verifier } = setting({ random: () => 0 })
    for (let n = 0; n < 5; n++) {
      upstream.stream.lose(`loss ${n}`)
      clock.advance(5_000)
    }
    upstream.stream.prove()
    upstream.stream.lose('another')
    expect(verifier.stats().isWatching).toBe(false)
    expect(lines).toEqual([
      'warn: Countersign is not being watched: loss 0',
      'info: Countersign is being watched',
      'warn: Countersign is not being watched: another',
    ])
    const { length } = upstream.streams
    clock.advance(50)
    expect(upstream.streams).toHaveLength(length + 1)
    expect(upstream.stream.all('hello')).toHaveLength(1)
  })

  test('goes on with what it knows over a new stream, and acknowledges there, too', async () => {
    const { verifier, upstream, clock, issue, asked } = setting()
    const { stream: first } = upstream
    first.prove()
    const [token, revoked] = [issue('a'), issue('b')]
    await Promise.all([verifier.verify(token), verifier.verify(revoked)])
    clock.advance(50)
    first.lose()
    upstream.log.commit(revocationOf(revoked))
    clock.advance(75)
    expect(upstream.stream).not.toBe(first)
    expect(upstream.stream.all('probe')[0]!.places).toMatchObject([{ revision: '0:aa:0' }])
    // The lease that the first stream has brought still runs.
    expect(await verifier.verify(revoked)).toMatchObject({ ok: true })
    upstream.stream.prove()
    expect(await verifier.verify(revoked)).toMatchObject({ ok: false })
    expect(await verifier.verify(token)).toMatchObject({ ok: true })
    expect(asked()).toHaveLength(1)
    clock.advance(50)
    expect(upstream.stream.all('applied')).toEqual([{ revisions: ['0:aa:1'] }])
    // Whoever is on the other end of the next stream may not know yet.
    upstream.stream.lose()
    clock.advance(75)
    upstream.stream.prove()
    clock.advance(50)
    expect(upstream.stream.all('applied')).toEqual([{ revisions: ['0:aa:1'] }])
  })

  test('hears nothing from a stream that it has lost', () => {
    const { upstream, clock, verifier } = setting()
    const { stream: first } = upstream
    first.lose()
    clock.advance(100)
    first.prove()
    first.lose()
    expect(verifier.stats().proofs).toBe(0)
    clock.advance(1_000)
    expect(upstream.streams).toHaveLength(2)
  })

  test('tries again when a stream cannot be opened at all', () => {
    const { upstream, clock, lines, verifier } = setting()
    upstream.isRefusing = true
    upstream.stream.lose()
    clock.advance(10_000)
    expect(upstream.streams).toHaveLength(1)
    upstream.isRefusing = false
    clock.advance(5_000)
    upstream.stream.prove()
    expect(verifier.stats().isWatching).toBe(true)
    expect(lines).toHaveLength(2)
  })

  test('leaves a stream on which nothing is answered for long: its replica may hang', () => {
    const { upstream, clock, lines } = setting()
    const { stream } = upstream
    stream.prove()
    clock.advance(limits.watchSilenceMs - 1)
    expect(stream.isClosed).toBe(false)
    clock.advance(1_000)
    expect(stream.isClosed).toBe(true)
    expect(upstream.streams).toHaveLength(2)
    expect(lines.at(-1)).toBe('warn: Countersign is not being watched: nothing was answered for too long')
  })

  test('keeps a stream that is answered on, and one whose answers waited while this process stood still', () => {
    const { upstream, clock } = setting()
    for (let n = 0; n < 100; n++) {
      clock.advance(250)
      upstream.stream.prove()
    }
    clock.pause(60_000)
    clock.advance(0)
    expect(upstream.streams).toHaveLength(1)
    upstream.stream.prove()
    expect(upstream.stream.isClosed).toBe(false)
  })

  test('passes over what it does not understand', () => {
    const { upstream, verifier } = setting()
    upstream.stream.tell({ say: undefined })
    const log = {
      revision: 'nonsense',
      tip: '',
      complete: true,
      otherHistory: false,
      facts: [{ kind: 'token', id: 'x', tip: '' }],
    }
    const { nonce } = upstream.stream.all('probe')[0]!
    upstream.stream.tell({ say: { $case: 'answer', value: { nonce, logs: [log] } } })
    upstream.stream.tell({ say: { $case: 'push', value: { ...log, previousTip: '' } } })
    expect(parseRevision(log.revision)).toBeUndefined()
    expect(verifier.stats()).toMatchObject({ isWatching: false, proofs: 0 })
  })
})
