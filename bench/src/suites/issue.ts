import { growthPerSecond, watchBacklog, type Backlog } from '../backlog.ts'
import type { Contender, Figure, Measured } from '../contender.ts'
import type { Context } from '../context.ts'
import { httpContender } from '../http-contender.ts'
import { limits } from '../limits.ts'
import { clientCredentialsForm, startPeer, tokenIn } from '../peer.ts'
import { startProduct, type Product } from '../product.ts'
import { runRounds } from '../rounds.ts'
import { median, spreadPercent } from '../statistics.ts'
import type { Suite } from '../suite.ts'

type Target = { url: string; authorization: string; processes: Readonly<Record<string, number>> }

const contenderOf = (context: Context, name: string, target: Target): Contender =>
  httpContender({
    ...target,
    name,
    unit: 'tokens/s',
    form: clientCredentialsForm,
    connections: context.concurrency ?? limits.httpConnections,
    isRight: (answer) => tokenIn(answer) !== undefined,
    signal: context.signal,
  })

const targetOf = (product: Product): Target => ({
  url: product.tokenUrl,
  authorization: product.batch,
  processes: product.processes('token-issuer'),
})

/** Watches the outbox during each round, and lets the journal catch up after it. */
function watched(product: Product, contender: Contender, onRound: (backlog: Backlog, settleSeconds: number) => void) {
  let last: Backlog | undefined
  return {
    ...contender,
    async run(seconds: number, onGenerator: (pid: number) => void) {
      const { result, backlog } = await watchBacklog(product, contender.run(seconds, onGenerator))
      last = backlog
      return result
    },
    async settle() {
      const from = performance.now()
      await product.quiet()
      if (last) onRound(last, (performance.now() - from) / 1_000)
    },
  }
}

function backlogFigures(measured: Measured, backlogs: readonly Backlog[], settleSeconds: readonly number[]): Figure[] {
  const rate = median(measured.rounds.map(({ perSecond }) => perSecond))
  const figure = (metric: string, unit: string, values: number[]): Figure => ({
    ...{ metric, unit, value: median(values) },
    spread: spreadPercent(values),
  })
  const growth = figure('outbox growth', 'events/s', backlogs.map(growthPerSecond))
  const most = rate * limits.backlogGrowth
  return [
    { ...growth, good: growth.value <= most, bound: `at most ${limits.backlogGrowth * 100} % of what is issued` },
    figure(
      'outbox at the end of a round',
      'events',
      backlogs.map(({ samples }) => samples.at(-1)!),
    ),
    figure('journal caught up after a round', 's', [...settleSeconds]),
  ]
}

export const issue: Suite = {
  name: 'issue',
  about: 'client_credentials with the journal behind it and with the relay paused, against oidc-provider',
  async run(context) {
    const product = await startProduct(context)
    const paused = await startProduct(context, { relay: 'paused' })
    const peer = await startPeer(context)
    const backlogs: Backlog[] = []
    const settleSeconds: number[] = []
    const whole = watched(product, contenderOf(context, 'countersign', targetOf(product)), (backlog, seconds) => {
      backlogs.push(backlog)
      settleSeconds.push(seconds)
    })
    const peerTarget = { url: `${peer.url}/oauth2/token`, authorization: peer.batch, processes: peer.processes }
    const contenders = [
      whole,
      contenderOf(context, 'oidc-provider', peerTarget),
      { ...contenderOf(context, 'countersign, relay paused', targetOf(paused)), settle: paused.quiet },
    ]
    const measured = await runRounds(contenders, context)
    const comparisons = [
      { metric: 'issue', contender: 'countersign', baseline: 'oidc-provider', target: 1 },
      { metric: 'issue, relay paused', contender: 'countersign, relay paused', baseline: 'oidc-provider', target: 1.5 },
    ]
    // The first is of the warm-up.
    return { measured, comparisons, figures: backlogFigures(measured[0]!, backlogs.slice(1), settleSeconds.slice(1)) }
  },
}
