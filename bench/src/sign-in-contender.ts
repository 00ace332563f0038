import type { SignInFigures, SignInJob } from '../generators/sign-in.ts'
import { startChild } from './child.ts'
import type { Contender, Figure } from './contender.ts'
import type { Context } from './context.ts'
import { combined } from './grpc-contender.ts'
import { limits } from './limits.ts'
import { percentile } from './statistics.ts'

export interface SignInContender extends Contender {
  /** Milliseconds of each answer that began a session, of all rounds so far but the first, which warms up. */
  answersMs(): Float64Array
}

export interface Signing {
  name: string
  unit: string
  job: SignInJob
  /** Of the server; absent: what is measured is done by the generator. */
  processes?: Readonly<Record<string, number>>
  settle?(): Promise<void>
}

/** People who sign in one after the other, or a part of that; every answer is checked. */
export async function signInContender(context: Context, signing: Signing): Promise<SignInContender> {
  const { name, unit, job, settle } = signing
  const child = await context.start(
    startChild(new URL('../generators/sign-in.ts', import.meta.url), [JSON.stringify(job)]),
  )
  const rounds: Float64Array[] = []

  async function ask(seconds: number): Promise<SignInFigures> {
    const answer = await child.ask({ seconds }, seconds * 1_000 + limits.generatorGraceMs)
    const { error } = answer as { error?: string }
    if (error !== undefined) throw new Error(`${name}: ${error}`)
    return answer as SignInFigures
  }

  return {
    name,
    unit,
    processes: signing.processes ?? { [name]: child.pid },
    verify: async () => void (await ask(0)),
    async run(seconds, onGenerator) {
      if (signing.processes) onGenerator(child.pid)
      const { answersMs, latenciesMs, seconds: taken } = await ask(seconds)
      rounds.push(answersMs)
      return combined([{ tokens: latenciesMs.length, seconds: taken, latenciesMs }])
    },
    answersMs: () => Float64Array.from(rounds.slice(1).flatMap((each) => [...each])).sort(),
    ...(settle && { settle }),
  }
}

/** Of the answers that began sessions, against what they rest on. */
export function answerFigures(contender: SignInContender, baseline: SignInContender): Figure[] {
  const [ours, theirs] = [contender.answersMs(), baseline.answersMs()]
  return [50, 99].map((percent) => ({
    metric: `${contender.name}: the answer that begins the session, p${percent}`,
    unit: 'ms',
    value: percentile(ours, percent),
    baseline: baseline.name,
    baselineValue: percentile(theirs, percent),
  }))
}
