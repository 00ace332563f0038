import { setTimeout as sleep } from 'node:timers/promises'
import type { WatchersJob, WatchersQuestion } from '../../generators/watchers.ts'
import { startChild, type Child } from '../child.ts'
import type { Context } from '../context.ts'
import type { Figure } from '../contender.ts'
import { postForm } from '../http-answer.ts'
import { limits } from '../limits.ts'
import { startProduct, type Product } from '../product.ts'
import { percentile } from '../statistics.ts'
import type { Suite } from '../suite.ts'

const { lag } = limits

/** Caches of the SDK, each watching by itself, in a few processes. */
async function startCaches(context: Context, product: Product, caches: number): Promise<Child[]> {
  const children: Child[] = []
  const processes = Math.min(lag.processes, caches)
  for (let n = 0; n < processes; n++) {
    const part = Math.floor(caches / processes) + (n < caches % processes ? 1 : 0)
    const job: WatchersJob = { target: product.grpcTarget, ...product.callerCredentials, caches: part }
    children.push(await startChild(new URL('../../generators/watchers.ts', import.meta.url), [JSON.stringify(job)]))
    void context.start(Promise.resolve(children.at(-1)!))
  }
  return children
}

async function ask(children: readonly Child[], question: WatchersQuestion): Promise<Float64Array[]> {
  const answers = await Promise.all(children.map((child) => child.ask(question, lag.answerMs)))
  return answers.map((answer) => {
    const { error, refused } = answer as { error?: string; refused?: Float64Array }
    if (error !== undefined) throw new Error(`caches: ${error}`)
    return refused ?? new Float64Array()
  })
}

const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6

/** Milliseconds from the acknowledgement of each revocation to the first refusal of each cache. */
async function measure(product: Product, children: readonly Child[], revocations: number): Promise<number[]> {
  const lags: number[] = []
  for (let n = 0; n < revocations; n++) {
    const token = await product.issue()
    await ask(children, { prime: token })
    await ask(children, { arm: token })
    await sleep(lag.pauseMs)
    const { status } = await postForm(product.revokeUrl, product.batch, `token=${token}`)
    const acknowledgedMs = nowMs()
    if (status !== 200) throw new Error(`a revocation was answered with ${status}`)
    for (const times of await ask(children, { collect: true })) {
      for (const refusedMs of times) lags.push(Math.max(0, refusedMs - acknowledgedMs))
    }
  }
  return lags
}

function figuresOf(metric: string, lags: number[], p99Bound: number | undefined, maxBound?: number): Figure[] {
  const sorted = Float64Array.from(lags).sort()
  const figure = (name: string, value: number, bound?: number): Figure => ({
    metric: `${metric}, ${name}`,
    unit: 'ms',
    value,
    ...(bound !== undefined && { good: value <= bound, bound: `≤ ${bound} ms` }),
  })
  return [
    figure('p50', percentile(sorted, 50)),
    figure('p99', percentile(sorted, 99), p99Bound),
    figure('max', sorted.at(-1) ?? 0, maxBound),
  ]
}

/** Readings of the store's heads for each interval between probes. */
async function readingsPerInterval(product: Product): Promise<number> {
  const metric = 'countersign_head_readings_total'
  const [before, fromMs] = [await product.metric(metric), performance.now()]
  await sleep(lag.readingsMs)
  const intervals = (performance.now() - fromMs) / lag.probeIntervalMs
  return ((await product.metric(metric)) - before) / intervals
}

async function withCaches(context: Context, product: Product, caches: number): Promise<Figure[]> {
  const { progress } = context
  progress(`starting ${caches} caches`)
  const children = await startCaches(context, product, caches)
  progress(`revoking, watched by ${caches} caches`)
  await measure(product, children, lag.warmUp)
  const lags = await measure(product, children, lag.revocations)
  const bounds: Record<number, number> = lag.p99BoundsMs
  const figures = figuresOf(`${caches} caches`, lags, bounds[caches])
  const readings = await readingsPerInterval(product)
  const isCheap = readings <= 1 + lag.readingsTolerance
  figures.push({
    metric: `${caches} caches, readings of the store a probe interval`,
    unit: '',
    value: readings,
    good: isCheap,
    bound: '≤ 1',
  })
  if (caches === Math.max(...lag.caches)) {
    progress(`revoking while NATS is down, watched by ${caches} caches`)
    await product.stopNats()
    const without = await measure(product, children, lag.revocationsWithoutNats)
    figures.push(...figuresOf(`${caches} caches, NATS down`, without, undefined, lag.boundMs))
  }
  await Promise.all(children.map((child) => child.stop()))
  return figures
}

export const revocationLag: Suite = {
  name: 'revocation-lag',
  about: 'from an acknowledged revocation to the first refusal in each of many watching caches',
  async run(context) {
    const product = await startProduct(context)
    const figures: Figure[] = []
    for (const caches of lag.caches) figures.push(...(await withCaches(context, product, caches)))
    return { measured: [], comparisons: [], figures }
  },
}
