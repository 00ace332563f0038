import { describe, expect, test } from '@jest/globals'
import type { Contender } from './contender.ts'
import { runRounds } from './rounds.ts'

const done: string[] = []

const contender = (name: string, change: Partial<Contender> = {}): Contender => ({
  name,
  unit: 'answers/s',
  processes: { server: process.pid },
  verify: async () => void done.push(`verify ${name}`),
  run: async (_, onGenerator) => {
    onGenerator(process.pid)
    done.push(`run ${name}`)
    return { perSecond: 1_000, p50Ms: 1, p99Ms: 2, errors: 0 }
  },
  ...change,
})

const options = { seconds: 0.01, rounds: 2, progress: () => undefined, signal: new AbortController().signal }

describe('the rounds', () => {
  test('take turns, and verify an answer before each', async () => {
    done.length = 0
    const measured = await runRounds([contender('a'), contender('b')], options)
    const once = ['verify a', 'run a', 'verify b', 'run b']
    expect(done).toEqual([...once, ...once, ...once]) // the first is the warm-up
    expect(measured.map(({ name, rounds }) => [name, rounds.length])).toEqual([
      ['a', 2],
      ['b', 2],
    ])
  })

  test('make ready before they verify, and settle after each run', async () => {
    const order: string[] = []
    const note = (what: string) => async () => void order.push(what)
    const noted = contender('a', { prepare: note('prepare'), verify: note('verify'), settle: note('settle') })
    await runRounds([noted], { ...options, rounds: 1 })
    expect(order.slice(0, 3)).toEqual(['prepare', 'verify', 'settle'])
  })

  test('give no figures when an answer is wrong', async () => {
    const wrong = contender('b', { verify: () => Promise.reject(new Error('b answered wrongly')) })
    await expect(runRounds([contender('a'), wrong], options)).rejects.toThrow('b answered wrongly')
  })

  test('end at once when they are stopped', async () => {
    const signal = AbortSignal.abort(new Error('stopped'))
    await expect(runRounds([contender('a')], { ...options, signal })).rejects.toThrow('stopped')
  })
})
