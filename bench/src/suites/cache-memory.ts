import type { CacheMemoryFigures } from '../../generators/cache-memory.ts'
import { startChild } from '../child.ts'
import type { Figure } from '../contender.ts'
import { limits } from '../limits.ts'
import type { Suite } from '../suite.ts'

const { entries, scannedTokens, bytesPerEntry, scanBytes } = limits.cacheMemory

export const cacheMemory: Suite = {
  name: 'cache-memory',
  about: 'heap for each answer that a cache keeps, and after a scan of a million unknown tokens',
  async run(context) {
    context.progress(`keeping ${entries} answers, and asking about ${scannedTokens} unknown tokens`)
    const job = JSON.stringify({ entries, scanned: scannedTokens })
    const path = new URL('../../generators/cache-memory.ts', import.meta.url)
    const child = await context.start(startChild(path, [job], { execArgv: ['--expose-gc'], readyMs: 600_000 }))
    const { figures } = child.ready as { figures: CacheMemoryFigures }
    const entry = (metric: string, value: number): Figure => ({
      metric,
      unit: 'bytes/answer',
      value,
      good: value <= bytesPerEntry,
      bound: `≤ ${bytesPerEntry}`,
    })
    const scan = (metric: string, value: number): Figure => ({
      metric,
      unit: 'MiB',
      value: value / 1_048_576,
      good: value <= scanBytes,
      bound: `≤ ${scanBytes / 1_048_576}`,
    })
    return {
      measured: [],
      comparisons: [],
      figures: [
        entry('SDK, a token of a person', figures.sdkPerson),
        entry('SDK, a token of a machine', figures.sdkMachine),
        entry('service, a token of a person', figures.servicePerson),
        scan('SDK, added by the scan', figures.sdkScan),
        scan('service, added by the scan', figures.serviceScan),
      ],
    }
  },
}
