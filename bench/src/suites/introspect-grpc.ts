import { IntrospectResponse } from '@countersign/contracts/introspection'
import type { GrpcJob } from '../../generators/grpc.ts'
import { startServer } from '../child.ts'
import { writeTokens, type Context } from '../context.ts'
import type { Contender } from '../contender.ts'
import { grpcContender } from '../grpc-contender.ts'
import { limits } from '../limits.ts'
import { startProduct } from '../product.ts'
import { runRounds } from '../rounds.ts'
import type { Suite } from '../suite.ts'

type Load = Pick<GrpcJob, 'mode' | 'concurrency'>

/** Servers of the same contract, and how to put the same load on each. */
export interface Doors {
  target: string
  callerCredentials: { clientId: string; clientSecret: string }
  tokensFile: string
  processes: Readonly<Record<string, number>>
  product(name: string, load: Load): Promise<Contender>
  echo(name: string, load: Load): Promise<Contender>
}

/** What the product answers over HTTP, as it does over gRPC: the message that the echo answers with. */
function messageOf(answer: string): IntrospectResponse {
  const { client_id: clientId, token_type: tokenType, aud, ...rest } = JSON.parse(answer) as Record<string, string>
  const empty = IntrospectResponse.decode(new Uint8Array())
  const revokedBy = { partition: 0, grantId: `standing.${clientId}`, sessionId: '', subject: '', also: [] }
  return { ...empty, ...rest, clientId: clientId!, tokenType: tokenType!, aud: [aud!].flat(), revokedBy }
}

export async function openDoors(context: Context): Promise<Doors> {
  const product = await startProduct(context)
  const tokens = await product.fill(limits.rotatedTokens)
  const answer = IntrospectResponse.encode(messageOf(await product.introspect(tokens[0]!))).finish()
  const echoPath = new URL('../../baselines/grpc-echo.ts', import.meta.url)
  const echo = await context.start(startServer(echoPath, [Buffer.from(answer).toString('base64')]))
  const tokensFile = writeTokens(context, 'tokens', tokens)
  const job = {
    authorization: product.caller,
    tokensFile,
    batchTokens: limits.batchTokens,
    generators: limits.grpcGenerators,
  }
  const stopLater = (child: { stop(): Promise<void> }) => void context.start(Promise.resolve(child))
  const at = (target: string, processes: Readonly<Record<string, number>>) => (name: string, load: Load) =>
    grpcContender({ ...job, ...load, name, target, processes }, stopLater)
  return {
    target: product.grpcTarget,
    callerCredentials: product.callerCredentials,
    tokensFile,
    processes: product.processes('introspection'),
    product: at(product.grpcTarget, product.processes('introspection')),
    echo: at(`127.0.0.1:${echo.port}`, { echo: echo.pid }),
  }
}

const unary = ({ concurrency }: Context): Load => ({ mode: 'unary', concurrency: concurrency ?? limits.grpcCalls })

export const introspectGrpc: Suite = {
  name: 'introspect-grpc',
  about: 'Introspect, one token a call, against a bare gRPC echo of the same messages',
  async run(context) {
    const doors = await openDoors(context)
    const contenders = [await doors.product('countersign', unary(context)), await doors.echo('echo', unary(context))]
    const measured = await runRounds(contenders, context)
    const comparisons = [{ metric: 'unary', contender: 'countersign', baseline: 'echo', target: 0.9 }]
    return { measured, comparisons, figures: [] }
  },
}

/** Something that answers many tokens for one call or stream, against one token a call and against the echo. */
function manyAtOnce(name: string, about: string, target: number, load: (context: Context) => Load): Suite {
  return {
    name,
    about,
    async run(context) {
      const doors = await openDoors(context)
      const { mode } = load(context)
      const contenders = [
        await doors.product(`countersign ${mode}`, load(context)),
        await doors.product('countersign unary', unary(context)),
        await doors.echo(`echo ${mode}`, load(context)),
      ]
      const measured = await runRounds(contenders, context)
      const ours = { metric: mode, contender: `countersign ${mode}` }
      const comparisons = [
        { ...ours, baseline: 'countersign unary', target },
        { ...ours, baseline: `echo ${mode}` },
      ]
      return { measured, comparisons, figures: [] }
    },
  }
}

export const introspectBatch: Suite = manyAtOnce(
  'introspect-batch',
  `BatchIntrospect, ${limits.batchTokens} tokens a call, against one a call and against the echo`,
  10,
  ({ concurrency }) => ({ mode: 'batch', concurrency: concurrency ?? limits.grpcBatches }),
)

export const introspectStream: Suite = manyAtOnce(
  'introspect-stream',
  `StreamIntrospect, ${limits.streamWindow} questions open, against one token a call and against the echo`,
  4,
  () => ({ mode: 'stream', concurrency: limits.streamWindow }),
)
