import type { SdkJob } from '../../generators/sdk.ts'
import { checkingContender } from '../checking-contender.ts'
import { writeTokens, type Context } from '../context.ts'
import { limits } from '../limits.ts'
import { startProduct } from '../product.ts'
import { runRounds } from '../rounds.ts'
import type { Suite } from '../suite.ts'
import { openDoors } from './introspect-grpc.ts'

const generator = new URL('../../generators/sdk.ts', import.meta.url)
const joseBaseline = new URL('../../baselines/jose-verify.ts', import.meta.url)

const later = (context: Context) => (child: { stop(): Promise<void> }) => void context.start(Promise.resolve(child))

export const sdkCached: Suite = {
  name: 'sdk-cached',
  about: 'verify() from memory, one core, against verifying a JWT with jose',
  async run(context) {
    const product = await startProduct(context)
    const tokens = await product.fill(limits.rotatedTokens)
    const job: SdkJob = {
      target: product.grpcTarget,
      ...product.callerCredentials,
      tokensFile: writeTokens(context, 'tokens', tokens),
      concurrency: 1,
      cacheEntries: limits.cacheEntries,
    }
    const jose = (algorithm: string) =>
      checkingContender(
        { name: `jose ${algorithm}`, path: joseBaseline, job: { algorithm, concurrency: limits.joseAtOnce } },
        later(context),
      )
    const contenders = [
      await checkingContender({ name: 'sdk', path: generator, job }, later(context)),
      await jose('ES256'),
      await jose('EdDSA'),
    ]
    const measured = await runRounds(contenders, context)
    const ours = { metric: 'cached', contender: 'sdk' }
    const comparisons = [
      { ...ours, baseline: 'jose ES256', target: 100 },
      { ...ours, baseline: 'jose EdDSA' },
    ]
    return { measured, comparisons, figures: [] }
  },
}

export const sdkUncached: Suite = {
  name: 'sdk-uncached',
  about: 'verify() that asks every time, against a bare unary gRPC echo',
  async run(context) {
    const doors = await openDoors(context)
    const job: SdkJob = {
      target: doors.target,
      ...doors.callerCredentials,
      tokensFile: doors.tokensFile,
      concurrency: context.concurrency ?? limits.streamWindow,
      cacheEntries: 0,
    }
    const contenders = [
      await checkingContender({ name: 'sdk', path: generator, job, processes: doors.processes }, later(context)),
      await doors.echo('echo', { mode: 'unary', concurrency: limits.grpcCalls }),
    ]
    const measured = await runRounds(contenders, context)
    const comparisons = [{ metric: 'uncached', contender: 'sdk', baseline: 'echo', target: 5 }]
    return { measured, comparisons, figures: [] }
  },
}
