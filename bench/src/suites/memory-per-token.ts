import { setTimeout as sleep } from 'node:timers/promises'
import { writeTokens, type Context } from '../context.ts'
import type { Contender, Figure } from '../contender.ts'
import { httpContender } from '../http-contender.ts'
import { limits } from '../limits.ts'
import { startPeer } from '../peer.ts'
import { startProduct, type Product } from '../product.ts'
import { runRounds } from '../rounds.ts'
import type { Suite } from '../suite.ts'
import { isActive } from './introspect-http.ts'

const fewTokens = 1_000
const mostBytesPerToken = 350

const count = (tokens: number) => `${tokens.toLocaleString('en')} tokens`

/** Evenly spread. */
const sampleOf = (tokens: readonly string[], most: number): string[] => {
  const step = Math.max(1, Math.floor(tokens.length / most))
  return tokens.filter((_, n) => n % step === 0).slice(0, most)
}

function contenderOf(context: Context, product: Product, held: number, tokens: readonly string[]): Contender {
  return httpContender({
    ...{ name: `with ${count(held)}`, unit: 'answers/s', form: 'token=', signal: context.signal },
    url: product.introspectUrl,
    authorization: product.caller,
    processes: product.processes('introspection'),
    tokens: { file: writeTokens(context, `${held}.tokens`, tokens), use: 'again' },
    connections: context.concurrency ?? limits.httpConnections,
    sample: async () => tokens.at(-1)!,
    isRight: isActive,
  })
}

async function perToken(of: Pick<Product, 'usedMemoryBytes'>, before: number, tokens: number): Promise<number> {
  return ((await of.usedMemoryBytes()) - before) / tokens
}

/** The peer's, as a measure: stored just as it stores them. */
async function peerBytesPerToken(context: Context): Promise<number> {
  const peer = await startPeer(context)
  await peer.fill(fewTokens)
  const before = await peer.usedMemoryBytes()
  const tokens = await peer.fill(context.tokens)
  return perToken(peer, before, tokens.length)
}

export const memoryPerToken: Suite = {
  name: 'memory-per-token',
  about: 'Redis memory of each live token, and introspection with many tokens against few',
  async run(context) {
    const { tokens: many, progress, signal } = context
    const [full, nearlyEmpty] = [await startProduct(context), await startProduct(context)]
    const few = await nearlyEmpty.fill(fewTokens)
    await full.quiet()
    const before = await full.usedMemoryBytes()
    progress(`filling in ${count(many)}`)
    const tokens = await full.fill(many, 1)
    const filledAt = performance.now()
    const atOnce = await perToken(full, before, many)
    const sampled = sampleOf(tokens, limits.sampledTokens)
    const contenders = [contenderOf(context, full, many, sampled), contenderOf(context, nearlyEmpty, fewTokens, few)]
    const measured = await runRounds(contenders, context)
    const [withMany, withFew] = contenders.map(({ name }) => name)
    progress('waiting until the store has forgotten the commits')
    await sleep(Math.max(0, filledAt + limits.commitIdsForgottenMs - performance.now()), undefined, { signal })
    // The sets of commit ids make way for the next when there is a next commit.
    await full.issue()
    await full.quiet()
    const settled = await perToken(full, before, many)
    const against = { baseline: 'oidc-provider', baselineValue: await peerBytesPerToken(context) }
    const bytes = { unit: 'bytes', ...against }
    const figures: Figure[] = [
      { ...bytes, metric: `Redis memory per token at ${count(many)}, just filled`, value: atOnce },
      {
        ...{ ...bytes, metric: `Redis memory per token at ${count(many)}, settled`, value: settled },
        ...{ good: settled <= mostBytesPerToken, bound: `at most ${mostBytesPerToken}` },
      },
    ]
    const metric = `introspection with ${count(many)}`
    const comparisons = [{ metric, contender: withMany!, baseline: withFew!, target: 0.9 }]
    return { measured, comparisons, figures }
  },
}
