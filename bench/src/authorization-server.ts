import { randomBytes } from 'node:crypto'
import { Passwords } from '@countersign/accounts'
import { Failure } from '@countersign/contracts'
import { ActorKind } from '@countersign/contracts/events'
import { startEmbedded, startPostgres, startRedis, Visitor, type StackOptions } from '@countersign/servers'
import { AccountDirectory } from '@countersign/service-login'
import { newCommitId, type Store } from '@countersign/store'
import { openStore } from '@countersign/store/open'
import type { FlowJob } from '../generators/flows.ts'
import type { Context } from './context.ts'
import { basic } from './http-answer.ts'
import { limits } from './limits.ts'
import { connect, startPeerFlows } from './peer.ts'
import { startProduct, untilQuiet } from './product.ts'

/** Where people who have signed in and agreed get codes, and applications redeem them. */
export interface AuthorizationServer {
  job: Omit<FlowJob, 'mode' | 'familiesEach'>
  processes: Readonly<Record<string, number>>
  settle?(): Promise<void>
}

const redirectUri = 'https://app.example/callback'
const scope = 'openid read:reports'
const resource = 'https://reports.example'
const secret = (): string => randomBytes(24).toString('base64url')

const clientLine = (clientSecret: string): string =>
  `{ id: web, secret: ${clientSecret}, grants: [authorization_code, refresh_token], scopes: [openid, 'read:reports'], ` +
  `audience: [reports], redirect_uris: ['${redirectUri}'], id_token_alg: ES256 }`

const jobOf = (issuer: string, clientSecret: string, rest: Pick<FlowJob, 'routes' | 'cookies'>) => ({
  issuer,
  authorizePath: '/oauth2/authorize',
  tokenPath: '/oauth2/token',
  jwksPath: '/oauth2/jwks',
  client: { id: 'web', authorization: basic('web', clientSecret), redirectUri },
  scope,
  resource,
  ...rest,
})

/** As an application's link would be. */
const authorizationUrl = (issuer: string): string =>
  `${issuer}/oauth2/authorize?${new URLSearchParams({
    ...{ response_type: 'code', client_id: 'web', redirect_uri: redirectUri, scope, resource },
    // Of RFC 7636 appendix B: nobody redeems this code.
    ...{ code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256', state: 'first' },
  })}`

/** Signs in as each of these people and agrees, as in a browser. @returns their cookies */
async function signIn(issuer: string, people: readonly { loginName: string; password: string }[]): Promise<string[]> {
  const cookies: string[] = []
  for (const person of people) {
    const visitor = new Visitor(issuer)
    await visitor.go(authorizationUrl(issuer))
    const end = await visitor.signIn(person)
    if (!end.startsWith(`${redirectUri}?`) || !new URL(end).searchParams.has('code')) {
      throw new Error(`nobody could sign in: ${end} ${visitor.reply.status} ${visitor.reply.text.slice(0, 500)}`)
    }
    // Those of the pages on the way are for their paths alone.
    const lasting = [...visitor.cookies].filter(([name]) => !name.startsWith('_interaction'))
    cookies.push(lasting.map(([name, value]) => `${name}=${value}`).join('; '))
  }
  return cookies
}

/** Makes an account for each flow at once. */
export async function addPeople(context: Context, store: Store) {
  const password = secret()
  const passwordHash = await new Passwords().hash(password)
  const directory = new AccountDirectory({ store, partitions: 1, now: Date.now, randomBytes, commitId: newCommitId })
  const asker = { kind: ActorKind.SYSTEM, id: 'bench', address: '', userAgent: '', traceparent: '' }
  const people = Array.from({ length: peopleOf(context) }, (_, n) => ({ loginName: `person-${n}`, password }))
  for (const { loginName } of people) {
    const made = await directory.create({ loginName, passwordHash, claims: {} }, asker, false)
    if (!made) throw new Failure('conflict', `${loginName} is there already`)
  }
  return people
}

const peopleOf = ({ concurrency }: Pick<Context, 'concurrency'>): number => concurrency ?? limits.httpConnections

const localAccounts = 'providers: [{ id: staff, kind: local }]\n'

/**
 * Countersign as four processes. A gateway joins token-issuer and login under one origin while people sign in; the load
 * then goes to each of the two directly, by path and with that origin as `Host`: a gateway in Node would be what is measured.
 */
export async function fourProcesses(
  context: Context,
  relay: StackOptions['relay'] = 'running',
): Promise<AuthorizationServer> {
  const clientSecret = secret()
  const product = await startProduct(context, {
    relay,
    gateway: true,
    clients: [clientLine(clientSecret)],
    config: localAccounts,
    // One address and client send all of it.
    environment: () => ({ COUNTERSIGN_THROTTLE__AUTHORIZATION_REQUESTS_PER_MINUTE: '0' }),
  })
  const { stack, store } = product
  const { login, 'token-issuer': tokenIssuer } = stack.processes
  const cookies = await signIn(stack.issuerUrl, await addPeople(context, store))
  const routes = { '/oauth2': tokenIssuer.http, '/login': login!.http }
  const { 'token-issuer': first, ...rest } = product.processes('token-issuer')
  return {
    job: jobOf(stack.issuerUrl, clientSecret, { routes, cookies }),
    processes: { 'token-issuer': first!, login: login!.pid, ...rest },
    settle: product.quiet,
  }
}

/** Countersign as one process, with an embedded bus, on the same Redis and PostgreSQL as the four processes have. */
export async function oneProcess(context: Context): Promise<AuthorizationServer> {
  context.progress('starting Countersign as one process, Redis and PostgreSQL')
  const clientSecret = secret()
  const redis = await context.start(startRedis())
  const postgres = await context.start(startPostgres())
  const embedded = await context.start(
    startEmbedded({
      clients: [clientLine(clientSecret)],
      config:
        `store: { url: ${redis.url} }\naudit: { url: ${postgres.url} }\n` +
        `throttle: { authorization_requests_per_minute: 0 }\n${localAccounts}`,
    }),
  )
  const store = await openStore({ url: redis.url, commandTimeoutMs: limits.fillCommitMs })
  await context.start(Promise.resolve({ stop: () => store.close() }))
  const quiet = { store, redis: await connect(context, redis.url), isJournaling: true, signal: context.signal }
  const issuer = embedded.issuerUrl
  const cookies = await signIn(issuer, await addPeople(context, store))
  return {
    job: jobOf(issuer, clientSecret, { routes: { '/': issuer }, cookies }),
    processes: { countersign: embedded.process.pid, redis: redis.pid, postgres: postgres.pid },
    settle: () => untilQuiet(quiet),
  }
}

/** oidc-provider, whose development pages sign people in. */
export async function oidcProvider(context: Context, appendfsync: 'always' | 'no'): Promise<AuthorizationServer> {
  const clientSecret = secret()
  const { url, processes } = await startPeerFlows(context, { clientSecret, redirectUri, resource }, appendfsync)
  const people = Array.from({ length: peopleOf(context) }, (_, n) => ({ loginName: `person-${n}`, password: 'any' }))
  return { job: jobOf(url, clientSecret, { routes: { '/': url }, cookies: await signIn(url, people) }), processes }
}
