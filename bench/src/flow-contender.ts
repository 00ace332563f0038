import type { FlowFigures, FlowJob } from '../generators/flows.ts'
import type { AuthorizationServer } from './authorization-server.ts'
import { startChild } from './child.ts'
import type { Contender, Load } from './contender.ts'
import type { Context } from './context.ts'
import { combined } from './grpc-contender.ts'
import { limits } from './limits.ts'

/** An authorization server under load from people with browsers, or from applications that refresh; every answer is checked. */
export async function flowContender(
  context: Context,
  name: string,
  { job, processes, settle }: AuthorizationServer,
  mode: FlowJob['mode'],
): Promise<Contender> {
  const argument = JSON.stringify({ ...job, mode, familiesEach: limits.familiesEach } satisfies FlowJob)
  const path = new URL('../generators/flows.ts', import.meta.url)
  const child = await context.start(startChild(path, [argument], { readyMs: limits.familiesReadyMs }))

  async function ask(seconds: number): Promise<Load> {
    const answer = await child.ask({ seconds }, seconds * 1_000 + limits.generatorGraceMs)
    const { error } = answer as { error?: string }
    if (error !== undefined) throw new Error(`${name}: ${error}`)
    return combined([answer as FlowFigures])
  }

  return {
    name,
    unit: mode === 'refresh' ? 'refreshes/s' : 'flows/s',
    processes,
    // One flow, whose ID token is verified.
    verify: async () => void (await ask(0)),
    run(seconds, onGenerator) {
      onGenerator(child.pid)
      return ask(seconds)
    },
    ...(settle && { settle }),
  }
}
