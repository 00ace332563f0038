import { beforeEach, describe, expect, test } from '@jest/globals'
import { limits } from './limits.ts'
import { Machine } from './machine.ts'
import { inOwnTurn } from './microtasks.ts'
import { Link, Stream } from './network.ts'
import { Random } from './random.ts'
import { Scheduler } from './scheduler.ts'
import { Trace } from './trace.ts'

describe('virtual time', () => {
  let trace: Trace
  let scheduler: Scheduler
  let random: Random
  let told: unknown[]
  const run = (untilMs: number) => inOwnTurn(() => scheduler.runUntil(untilMs))
  const tell = (text: string) => () => void told.push(text)

  beforeEach(() => {
    trace = new Trace()
    scheduler = new Scheduler(trace)
    random = new Random(5)
    told = []
  })

  test('does what is planned in order, each with all that follows from it', async () => {
    scheduler.at(7, 'late', tell('late'))
    scheduler.at(2, 'early', () => {
      void Promise.resolve()
        .then(() => undefined)
        .then(tell('what followed'))
    })
    scheduler.at(2, 'second', tell('second'))
    scheduler.at(3, 'never', tell('never'))()
    await run(10)
    expect(told).toEqual(['what followed', 'second', 'late'])
    expect(scheduler.nowMs).toBe(10)
  })

  test('gives another trace when anything is another', async () => {
    const hashes = await Promise.all(
      [1, 1, 2].map(async (atMs) => {
        const own = new Trace()
        const ownScheduler = new Scheduler(own)
        ownScheduler.at(atMs, 'something', () => undefined)
        await inOwnTurn(() => ownScheduler.runUntil(3))
        return own.hash
      }),
    )
    expect(hashes[0]).toBe(hashes[1])
    expect(hashes[0]).not.toBe(hashes[2])
  })

  test('has a paused machine do nothing, and then everything that came meanwhile, in order', async () => {
    const machine = new Machine('a', scheduler, random)
    scheduler.at(1, 'pause', () => machine.pause())
    for (const n of [2, 3, 4]) machine.at(n, 'message', () => told.push([n, scheduler.nowMs >= 9]))
    scheduler.at(9, 'resume', () => machine.resume())
    await run(20)
    expect(told).toEqual([2, 3, 4].map((n) => [n, true]))
  })

  test('forgets with a crash what was meant for that life', async () => {
    const machine = new Machine('a', scheduler, random)
    machine.at(5, 'message', tell('to the first life'))
    machine.clock.after(5, tell('a timer of the first life'))
    scheduler.at(2, 'crash', () => machine.crash())
    scheduler.at(3, 'restart', () => machine.restart())
    scheduler.at(4, 'message', () => machine.at(6, 'message', tell('to the second life')))
    await run(20)
    expect(told).toEqual(['to the second life'])
  })

  test('lets clocks drift a little, and be set', async () => {
    const machine = new Machine('a', scheduler, random)
    const [monotonicMs, now] = [machine.clock.monotonicMs(), machine.clock.now()]
    await run(100_000)
    const drift = (machine.clock.monotonicMs() - monotonicMs) / 100_000 - 1
    expect(Math.abs(drift)).toBeGreaterThan(0)
    expect(Math.abs(drift)).toBeLessThanOrEqual(limits.drift + 1e-9)
    machine.jump(60_000)
    expect(machine.clock.now() - now).toBeGreaterThan(159_000)
    expect(machine.clock.monotonicMs() - monotonicMs).toBeLessThan(101_000)
  })

  test('keeps a stream in order, through a cut, and breaks it as a whole', async () => {
    const [one, other] = [new Machine('a', scheduler, random), new Machine('b', scheduler, random)]
    const link = new Link(random, 5)
    const end = (machine: Machine, name: string) => ({
      machine,
      receive: (message: unknown) => told.push(message),
      lost: tell(`${name} lost it`),
    })
    const stream = new Stream(scheduler, random, link, [end(one, 'a'), end(other, 'b')])
    const sent = Array.from({ length: 50 }, (_, n) => n)
    sent.forEach((n) => scheduler.at(n, 'send', () => stream.send(1, n)))
    scheduler.at(20, 'cut', () => link.cut())
    scheduler.at(400, 'heal', () => link.heal())
    await run(2_000)
    expect(told).toEqual(sent)
    stream.send(1, 'too late')
    stream.break([1, 2])
    await run(3_000)
    expect(told.slice(50)).toEqual(['a lost it', 'b lost it'])
  })
})
