import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Contender } from '../contender.ts'
import type { Context } from '../context.ts'
import { postForm } from '../http-answer.ts'
import { httpContender } from '../http-contender.ts'
import { limits } from '../limits.ts'
import { startPeer } from '../peer.ts'
import { startProduct } from '../product.ts'
import { runRounds } from '../rounds.ts'
import type { Suite } from '../suite.ts'
import { isInactive } from './introspect-http.ts'

interface Target {
  name: string
  url: string
  authorization: string
  introspectUrl: string
  caller: string
  processes: Readonly<Record<string, number>>
  fill(count: number): Promise<string[]>
  settle?(): Promise<void>
}

/** Revokes each token once, and asks about some of them afterwards. */
function contenderOf(context: Context, target: Target): Contender {
  const { name, url, authorization, processes, settle } = target
  const connections = context.concurrency ?? limits.httpConnections
  const file = join(context.folder, `${name}.tokens`)
  let perSecond: number = limits.onceFirstGuess
  let tokens: string[] = []
  let seconds = 1

  async function prepare(forSeconds: number): Promise<void> {
    seconds = forSeconds
    tokens = await target.fill(Math.ceil(perSecond * seconds * limits.onceReserve))
    writeFileSync(file, tokens.join('\n') + '\n')
  }

  async function seeThatTheyAreRevoked(answered: number): Promise<void> {
    perSecond = answered / seconds
    // The generator tries its first request out without sending it, and the last may be under way.
    const sent = tokens.slice(1, answered - connections)
    const step = Math.ceil(sent.length / limits.revokedSample)
    for (const token of sent.filter((_, n) => n % step === 0)) {
      const answer = await postForm(target.introspectUrl, target.caller, `token=${token}`)
      if (!isInactive(answer)) throw new Error(`${name}: a revoked token was answered ${answer.status} ${answer.body}`)
    }
  }

  return httpContender({
    ...{ name, unit: 'tokens/s', url, authorization, processes, connections, prepare },
    ...{ form: 'token=', tokens: { file, use: 'once' } },
    sample: async () => (await target.fill(1))[0]!,
    isRight: ({ status }) => status === 200,
    drift: limits.revisionDrift,
    afterwards: seeThatTheyAreRevoked,
    ...(settle && { settle }),
    signal: context.signal,
  })
}

export const revoke: Suite = {
  name: 'revoke',
  about: 'POST /oauth2/revoke, each token once, against oidc-provider',
  async run(context) {
    const product = await startProduct(context)
    const peer = await startPeer(context)
    const contenders = [
      contenderOf(context, {
        name: 'countersign',
        url: product.revokeUrl,
        authorization: product.batch,
        introspectUrl: product.introspectUrl,
        caller: product.caller,
        processes: product.processes('token-issuer'),
        fill: product.fill,
        settle: product.quiet,
      }),
      contenderOf(context, {
        name: 'oidc-provider',
        url: `${peer.url}/oauth2/revoke`,
        authorization: peer.batch,
        introspectUrl: `${peer.url}/oauth2/introspect`,
        caller: peer.caller,
        processes: peer.processes,
        fill: peer.fill,
      }),
    ]
    const measured = await runRounds(contenders, context)
    const comparisons = [{ metric: 'revoke', contender: 'countersign', baseline: 'oidc-provider' }]
    return { measured, comparisons, figures: [] }
  },
}
