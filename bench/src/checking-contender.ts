import type { Child } from './child.ts'
import { startChild } from './child.ts'
import type { Contender, Load } from './contender.ts'
import { limits } from './limits.ts'
import { percentile } from './statistics.ts'

/** What a child that checks tokens answers with. */
export interface CheckFigures {
  checks: number
  seconds: number
  latenciesMs: Float64Array
}

export interface CheckingChildOptions {
  name: string
  path: URL
  job: object
  /** What it rests on, besides itself. */
  processes?: Readonly<Record<string, number>>
}

/** A process of ours that checks tokens by itself, as a contender. */
export async function checkingContender(
  { name, path, job, processes = {} }: CheckingChildOptions,
  onStarted: (child: Child) => void,
): Promise<Contender> {
  const child = await startChild(path, [JSON.stringify(job)])
  onStarted(child)

  async function ask(seconds: number): Promise<Load> {
    const answer = await child.ask({ seconds }, seconds * 1_000 + limits.generatorGraceMs)
    const { error } = answer as { error?: string }
    if (error !== undefined) throw new Error(`${name}: ${error}`)
    const { checks, seconds: took, latenciesMs } = answer as CheckFigures
    const sorted = Float64Array.from(latenciesMs).sort()
    return { perSecond: checks / took, p50Ms: percentile(sorted, 50), p99Ms: percentile(sorted, 99), errors: 0 }
  }

  return {
    name,
    unit: 'checks/s',
    processes: { [name]: child.pid, ...processes },
    // A moment of the very load: each check is looked at, and a wrong one fails it.
    verify: async () => void (await ask(0.05)),
    run: (seconds) => ask(seconds),
  }
}
