import { fourProcesses, oidcProvider, oneProcess } from '../authorization-server.ts'
import type { Comparison, Contender } from '../contender.ts'
import type { Context } from '../context.ts'
import { flowContender } from '../flow-contender.ts'
import { runRounds } from '../rounds.ts'
import type { Suite } from '../suite.ts'
import type { FlowJob } from '../../generators/flows.ts'

/** The contenders of both suites. The target is of Countersign as it is run, against the peer on a Redis that keeps as much. */
export async function compareFlows(context: Context, mode: FlowJob['mode']) {
  const contenders: Contender[] = [
    await flowContender(context, 'four processes', await fourProcesses(context), mode),
    await flowContender(context, 'four processes, relay paused', await fourProcesses(context, 'paused'), mode),
    await flowContender(context, 'one process', await oneProcess(context), mode),
    await flowContender(context, durable, await oidcProvider(context, 'always'), mode),
    await flowContender(context, forgetful, await oidcProvider(context, 'no'), mode),
  ]
  const against = (metric: string, contender: string): Comparison[] => [
    { metric, contender, baseline: durable, target: 1.5 },
    { metric, contender, baseline: forgetful },
  ]
  const comparisons = [
    ...against(mode, 'four processes'),
    ...against(`${mode}, relay paused`, 'four processes, relay paused'),
    ...against(`${mode}-single`, 'one process'),
  ]
  return { measured: await runRounds(contenders, context), comparisons, figures: [] }
}

const durable = 'oidc-provider'
const forgetful = 'oidc-provider, nothing on disk'

export const codeFlow: Suite = {
  name: 'code-flow',
  about: 'the authorization code flow of people who have signed in and agreed, against oidc-provider',
  run: (context) => compareFlows(context, 'code-flow'),
}
