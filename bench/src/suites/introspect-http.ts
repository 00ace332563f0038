import { startRedis } from '@countersign/servers'
import { startServer } from '../child.ts'
import { writeTokens, type Context } from '../context.ts'
import type { Contender } from '../contender.ts'
import type { HttpAnswer } from '../http-answer.ts'
import { httpContender, type HttpContenderOptions } from '../http-contender.ts'
import { limits } from '../limits.ts'
import { connect, startPeer } from '../peer.ts'
import { startProduct } from '../product.ts'
import { runRounds } from '../rounds.ts'
import type { Suite } from '../suite.ts'

export const isActive = ({ status, body }: HttpAnswer): boolean =>
  status === 200 && (JSON.parse(body) as { active?: boolean }).active === true
export const isInactive = ({ status, body }: HttpAnswer): boolean => status === 200 && body === '{"active":false}'

/** As long as a token is, and of the same form, but never made. */
export const madeUp = (token: string): string => token.slice(0, -20) + 'x'.repeat(20)

type Shared = Pick<HttpContenderOptions, 'unit' | 'form' | 'connections' | 'signal'>

/** Rotates over tokens that are all good. */
function valid(context: Context, name: string, tokens: readonly string[]) {
  const file = writeTokens(context, `${name.replaceAll(/\W+/g, '-')}.tokens`, tokens)
  return { tokens: { file, use: 'again' as const }, sample: async () => tokens[0]!, isRight: isActive }
}

/** A Redis of the bare server's own, in which every token has the answer that the product gives. */
async function redisWith(context: Context, tokens: readonly string[], answer: string) {
  const server = await context.start(startRedis({ appendfsync: 'no' }))
  const redis = await connect(context, server.url)
  const pipeline = redis.pipeline()
  for (const token of tokens) pipeline.set(token, answer)
  await pipeline.exec()
  return server
}

const baseline = (name: string) => new URL(`../../baselines/${name}`, import.meta.url)

async function baselines(context: Context, shared: Shared, tokens: string[], answer: string, authorization: string) {
  const redis = await redisWith(context, tokens, answer)
  const node = await context.start(startServer(baseline('node-redis.ts'), [redis.url]))
  const express = await context.start(startServer(baseline('express.ts'), [answer]))
  const at = (port: number) => ({ ...shared, authorization, url: `http://127.0.0.1:${port}/oauth2/introspect` })
  const asked = valid(context, 'baselines', tokens)
  return [
    httpContender({
      ...at(node.port),
      ...asked,
      name: 'node + redis',
      processes: { node: node.pid, redis: redis.pid },
    }),
    httpContender({ ...at(express.port), ...asked, name: 'express', processes: { express: express.pid } }),
  ]
}

async function peers(context: Context, shared: Shared): Promise<Contender[]> {
  const peer = await startPeer(context)
  const tokens = await peer.fill(limits.rotatedTokens)
  const { processes } = peer
  const asked = { ...shared, processes, authorization: peer.caller, url: `${peer.url}/oauth2/introspect` }
  const invalid = { ...asked, form: shared.form + madeUp(tokens[0]!), isRight: isInactive }
  return [
    httpContender({ ...asked, ...valid(context, 'oidc-provider', tokens), name: 'oidc-provider' }),
    httpContender({ ...invalid, name: 'oidc-provider, invalid' }),
  ]
}

export const introspectHttp: Suite = {
  name: 'introspect-http',
  about: 'POST /oauth2/introspect, against bare Node + Redis, bare Express and oidc-provider',
  async run(context) {
    const connections = context.concurrency ?? limits.httpConnections
    const shared: Shared = { unit: 'answers/s', form: 'token=', connections, signal: context.signal }
    const product = await startProduct(context)
    const tokens = await product.fill(limits.rotatedTokens)
    const answer = await product.introspect(tokens[0]!)
    const processes = product.processes('introspection')
    const asked = { ...shared, processes, authorization: product.caller, url: product.introspectUrl }
    const invalid = { ...asked, form: shared.form + madeUp(tokens[0]!), isRight: isInactive }
    const contenders = [
      httpContender({ ...asked, ...valid(context, 'countersign', tokens), name: 'countersign' }),
      ...(await baselines(context, shared, tokens, answer, product.caller)),
      ...(await peers(context, shared)),
      httpContender({ ...invalid, name: 'countersign, invalid' }),
    ]
    const measured = await runRounds(contenders, context)
    const theValid = { metric: 'valid token', contender: 'countersign' }
    const comparisons = [
      { ...theValid, baseline: 'node + redis', target: 1 },
      { ...theValid, baseline: 'express' },
      { ...theValid, baseline: 'oidc-provider', target: 3 },
      { metric: 'invalid token', contender: 'countersign, invalid', baseline: 'oidc-provider, invalid', target: 3 },
    ]
    return { measured, comparisons, figures: [] }
  },
}
