import { startEmbedded, startPostgres, startRedis } from '@countersign/servers'
import { openStore } from '@countersign/store/open'
import type { Provider, SignInJob } from '../../generators/sign-in.ts'
import { addPeople } from '../authorization-server.ts'
import { startChild } from '../child.ts'
import type { Comparison } from '../contender.ts'
import type { Context } from '../context.ts'
import { limits } from '../limits.ts'
import { connect } from '../peer.ts'
import { startProduct, untilQuiet } from '../product.ts'
import { runRounds } from '../rounds.ts'
import { answerFigures, signInContender, type SignInContender, type Signing } from '../sign-in-contender.ts'
import type { Suite } from '../suite.ts'

/** Where people sign in. */
interface Server extends Required<Pick<Signing, 'processes' | 'settle'>> {
  name: string
  job: Omit<Extract<SignInJob, { issuer: string }>, 'way'>
}

const client = { id: 'web', redirectUri: 'https://app.example/callback' }
const clientLine =
  `{ id: ${client.id}, public: true, consent: false, grants: [authorization_code], scopes: [openid], ` +
  `redirect_uris: ['${client.redirectUri}'] }`
const providerId = 'elsewhere'

const providersOf = ({ issuer, clientId, clientSecret }: Provider): string => `providers:
  - { id: staff, kind: local }
  - { id: ${providerId}, kind: oidc, issuer: ${issuer}, client_id: ${clientId}, client_secret: '${clientSecret}' }
`

/** One address signs everybody in. */
const unlimited = ['authorization_requests_per_minute', 'upstream_sign_ins_per_minute']

async function fourProcesses(context: Context, provider: Provider): Promise<Server> {
  const product = await startProduct(context, {
    gateway: true,
    clients: [clientLine],
    config: providersOf(provider),
    environment: () =>
      Object.fromEntries(unlimited.map((name) => [`COUNTERSIGN_THROTTLE__${name.toUpperCase()}`, '0'])),
  })
  const { login, 'token-issuer': tokenIssuer } = product.stack.processes
  const { 'token-issuer': issuing, ...rest } = product.processes('token-issuer')
  const [person] = await addPeople(context, product.store)
  return {
    name: 'four processes',
    job: {
      issuer: product.stack.issuerUrl,
      routes: { '/oauth2': tokenIssuer.http, '/login': login!.http },
      ...{ client, person: person!, providerId },
    },
    processes: { login: login!.pid, 'token-issuer': issuing!, ...rest },
    settle: product.quiet,
  }
}

async function oneProcess(context: Context, provider: Provider): Promise<Server> {
  context.progress('starting Countersign as one process, Redis and PostgreSQL')
  const redis = await context.start(startRedis())
  const postgres = await context.start(startPostgres())
  const throttle = unlimited.map((name) => `${name}: 0`).join(', ')
  const config = `store: { url: ${redis.url} }\naudit: { url: ${postgres.url} }\nthrottle: { ${throttle} }\n`
  const embedded = await context.start(startEmbedded({ clients: [clientLine], config: config + providersOf(provider) }))
  const store = await openStore({ url: redis.url, commandTimeoutMs: limits.fillCommitMs })
  await context.start(Promise.resolve({ stop: () => store.close() }))
  const quiet = { store, redis: await connect(context, redis.url), isJournaling: true, signal: context.signal }
  const [person] = await addPeople(context, store)
  const issuer = embedded.issuerUrl
  return {
    name: 'one process',
    job: { issuer, routes: { '/': issuer }, client, person: person!, providerId },
    processes: { countersign: embedded.process.pid, redis: redis.pid, postgres: postgres.pid },
    settle: () => untilQuiet(quiet),
  }
}

export const signIn: Suite = {
  name: 'sign-in',
  about: 'people who sign in one after the other, by password and by a provider, without a browser',
  async run(context) {
    const path = new URL('../../peers/openid-provider.ts', import.meta.url)
    const peer = await context.start(startChild(path, []))
    const provider = peer.ready as Provider
    const servers = [await fourProcesses(context, provider), await oneProcess(context, provider)]
    const baselines = {
      password: await signInContender(context, { name: 'Argon2id alone', unit: 'hashes/s', job: { way: 'hash' } }),
      provider: await signInContender(context, {
        name: 'the provider’s tokens alone',
        unit: 'answers/s',
        job: { way: 'tokens', provider },
        processes: { provider: peer.pid },
      }),
    }
    const contenders: SignInContender[] = Object.values(baselines)
    const comparisons: Comparison[] = []
    const pairs: [SignInContender, SignInContender][] = []
    for (const way of ['password', 'provider'] as const) {
      for (const { name, job, processes, settle } of servers) {
        const rest = {
          unit: 'sign-ins/s',
          processes: way === 'password' ? processes : { ...processes, provider: peer.pid },
        }
        const contender = await signInContender(context, {
          name: `${name}, ${way}`,
          job: { ...job, way },
          settle,
          ...rest,
        })
        contenders.push(contender)
        comparisons.push({ metric: contender.name, contender: contender.name, baseline: baselines[way].name })
        pairs.push([contender, baselines[way]])
      }
    }
    const measured = await runRounds(contenders, context)
    return { measured, comparisons, figures: pairs.flatMap(([ours, theirs]) => answerFigures(ours, theirs)) }
  },
}
