import { setTimeout as sleep } from 'node:timers/promises'
import type { Contender, Load, Measured, Round } from './contender.ts'
import { limits } from './limits.ts'
import { cpuSecondsOfAll, machineCpuSeconds, resourcesOf } from './resources.ts'

export interface RoundsOptions {
  seconds: number
  rounds: number
  /** Tells people how far it is. */
  progress: (line: string) => void
  signal: AbortSignal
}

/** Part of a round at its beginning and its end in which processors are not watched: generators start and stop there. */
const edge = 0.1

/** Watches how many processors each keeps busy, between the edges of a round; `others` are those not watched. */
async function watchCores(watched: Readonly<Record<string, readonly number[]>>, seconds: number, signal: AbortSignal) {
  const look = () => {
    const each = Object.entries(watched).map(([name, pids]) => [name, cpuSecondsOfAll(pids)] as const)
    return { at: performance.now(), machine: machineCpuSeconds(), each: new Map(each) }
  }
  await sleep(seconds * edge * 1_000, undefined, { signal })
  const before = look()
  await sleep(seconds * (1 - 2 * edge) * 1_000, undefined, { signal })
  const after = look()
  const cores: Record<string, number> = {}
  let others = 0
  const note = (name: string, from: number | undefined, to: number | undefined) => {
    if (from !== undefined && to !== undefined) cores[name] = (to - from) / ((after.at - before.at) / 1_000)
  }
  for (const [name, used] of after.each) {
    note(name, before.each.get(name), used)
    others -= cores[name] ?? 0
  }
  note('others', before.machine, after.machine)
  if (cores.others !== undefined) cores.others = Math.max(0, cores.others + others)
  return cores
}

async function oneRound(contender: Contender, seconds: number, signal: AbortSignal): Promise<Round> {
  signal.throwIfAborted()
  await contender.prepare?.(seconds)
  await contender.verify()
  const generator: number[] = []
  const served = Object.fromEntries(Object.entries(contender.processes).map(([name, pid]) => [name, [pid]]))
  const [load, cores] = await Promise.all([
    contender.run(seconds, (pid) => generator.push(pid)),
    watchCores({ ...served, generator }, seconds, signal),
  ])
  const resources = resourcesOf(Object.values(contender.processes)[0]!)
  await contender.settle?.()
  return { ...load, cores, residentMib: resources?.residentMib, peakMib: resources?.peakMib }
}

const told = ({ perSecond, p50Ms, p99Ms }: Load, unit: string) =>
  `${Math.round(perSecond).toLocaleString('en')} ${unit}, p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)} ms`

/**
 * Runs contenders in turn, round by round, so that whatever the machine does meanwhile hits them all alike.
 * @throws Error when one of them answers wrongly: then no figure is worth anything
 */
export async function runRounds(contenders: readonly Contender[], options: RoundsOptions): Promise<Measured[]> {
  const { seconds, rounds, progress, signal } = options
  const measured = contenders.map(({ name, unit }): Measured => ({ name, unit, rounds: [] }))
  for (const contender of contenders) {
    progress(`warming up ${contender.name}`)
    await oneRound(contender, Math.min(seconds, limits.warmUpSeconds), signal)
  }
  for (let round = 1; round <= rounds; round++) {
    for (const [index, contender] of contenders.entries()) {
      const result = await oneRound(contender, seconds, signal)
      measured[index]!.rounds.push(result)
      progress(`round ${round}/${rounds} ${contender.name}: ${told(result, contender.unit)}`)
    }
  }
  return measured
}
