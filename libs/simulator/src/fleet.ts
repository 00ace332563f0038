import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { addTotals, noTotals, type Totals } from './figures.ts'
import type { Job } from './worker.ts'

const worker = fileURLToPath(new URL('./worker.ts', import.meta.url))

export interface FleetOptions {
  from: number
  seeds: number
  workers: number
  /** Worlds that one process runs before it tells. */
  worldsPerJob: number
  mutant?: string | undefined
  /** Ends once something was violated. */
  stopsEarly: boolean
  onProgress(totals: Totals): void
}

/** Runs worlds on several processes. @throws Error when one of them fails */
export async function runFleet(options: FleetOptions): Promise<Totals> {
  const { from, seeds, worldsPerJob, mutant, stopsEarly, onProgress } = options
  const totals = noTotals()
  let next = from
  const job = (): Job | undefined => {
    if (next >= from + seeds || (stopsEarly && totals.failed.length > 0)) return undefined
    const count = Math.min(worldsPerJob, from + seeds - next)
    next += count
    return { from: next - count, count }
  }
  const runOne = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const child = fork(worker, mutant === undefined ? [] : [mutant], {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      })
      let isOver = false
      child.on('message', (message: Totals | 'ready') => {
        if (message !== 'ready') {
          addTotals(totals, message)
          onProgress(totals)
        }
        const more = job()
        if (more) return void child.send(more)
        isOver = true
        child.disconnect()
      })
      child.on('error', reject)
      child.on('exit', (code) => (isOver ? resolve() : reject(new Error(`a worker ended with code ${code}`))))
    })
  const workers = Math.max(1, Math.min(options.workers, Math.ceil(seeds / worldsPerJob)))
  await Promise.all(Array.from({ length: workers }, runOne))
  totals.failed.sort((a, b) => a.seed - b.seed)
  return totals
}
