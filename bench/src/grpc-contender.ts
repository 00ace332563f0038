import type { GrpcFigures, GrpcJob } from '../generators/grpc.ts'
import { startChild, type Child } from './child.ts'
import type { Contender, Load } from './contender.ts'
import { limits } from './limits.ts'
import { percentile } from './statistics.ts'

export interface GrpcContenderOptions extends GrpcJob {
  name: string
  processes: Readonly<Record<string, number>>
  /** Generator processes, each with its own connection and an equal part of the concurrency. */
  generators: number
}

/** Adds up what the generators saw. */
export function combined(all: readonly GrpcFigures[]): Load {
  const latencies = new Float64Array(all.reduce((sum, { latenciesMs }) => sum + latenciesMs.length, 0))
  let filled = 0
  for (const { latenciesMs } of all) {
    latencies.set(latenciesMs, filled)
    filled += latenciesMs.length
  }
  latencies.sort()
  return {
    perSecond: all.reduce((sum, { tokens, seconds }) => sum + tokens / seconds, 0),
    p50Ms: percentile(latencies, 50),
    p99Ms: percentile(latencies, 99),
    errors: 0,
  }
}

/** An introspection service under load from gRPC generators, which check every answer. */
export async function grpcContender(
  options: GrpcContenderOptions,
  onStarted: (child: Child) => void,
): Promise<Contender> {
  const { name, processes, generators, concurrency, target, authorization, mode, tokensFile, batchTokens } = options
  const job = { target, authorization, mode, tokensFile, batchTokens }
  const children: Child[] = []
  for (let n = 0; n < generators; n++) {
    const part = Math.floor(concurrency / generators) + (n < concurrency % generators ? 1 : 0)
    const argument = JSON.stringify({ ...job, concurrency: part } satisfies GrpcJob)
    const child = await startChild(new URL('../generators/grpc.ts', import.meta.url), [argument])
    onStarted(child)
    children.push(child)
  }

  async function ask(child: Child, seconds: number): Promise<GrpcFigures> {
    const answer = await child.ask({ seconds }, seconds * 1_000 + limits.generatorGraceMs)
    const { error } = answer as { error?: string }
    if (error !== undefined) throw new Error(`${name}: ${error}`)
    return answer as GrpcFigures
  }

  return {
    name,
    unit: 'tokens/s',
    processes,
    // A moment of the very load: each answer is checked, and a wrong one fails it.
    verify: async () => void (await Promise.all(children.map((child) => ask(child, 0)))),
    async run(seconds, onGenerator) {
      for (const { pid } of children) onGenerator(pid)
      return combined(await Promise.all(children.map((child) => ask(child, seconds))))
    },
  }
}
