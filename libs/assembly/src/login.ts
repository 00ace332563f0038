import { readFileSync } from 'node:fs'
import {
  createLook,
  createRemoteBreaker,
  rpcClientObserver,
  type Limiter,
  type LimiterOptions,
  type Look,
} from '@countersign/chassis'
import type { Config } from '@countersign/chassis/config'
import type { AuthorizationCalls } from '@countersign/contracts'
import { AccountsService } from '@countersign/contracts/accounts'
import { AuthorizationService } from '@countersign/contracts/authorization'
import { createRpcClient, rpcService } from '@countersign/rpc'
import {
  createDirectories,
  createLoginService,
  createPost,
  createPrintingPost,
  createUpstreams,
  type Directories,
  type Post,
  type Upstreams,
} from '@countersign/service-login'
import { operatorOf } from '@countersign/service-token-issuer'
import type { Store } from '@countersign/store'
import { authenticationOver, reachOf, remoteKeysOf } from './authentication.ts'
import { clientPemsOf } from './connections.ts'
import type { Foundation } from './foundation.ts'
import { keyFor, loginCredentials, setupTokenFrom } from './keys.ts'
import { limits } from './limits.ts'
import type { Part } from './part.ts'

const minuteMs = 60_000

type Provider = Config['providers'][number]

const isUpstream = (provider: Provider): provider is Exclude<Provider, { kind: 'local' }> => provider.kind !== 'local'

/** The id of the provider that accounts of ours are; undefined: nobody signs in with them. */
const localProviderOf = ({ providers, demo }: Config): string | undefined =>
  providers.find(({ kind }) => kind === 'local')?.id ?? (demo ? 'local' : undefined)

/** Sign-in. @param here token-issuer in this process; absent: it is reached over gRPC */
export function assembleLogin(
  foundation: Foundation,
  store: Store,
  limiter: (options: LimiterOptions) => Limiter,
  here: AuthorizationCalls | undefined,
): Part {
  const { config, masterKey, previousMasterKey, log, metrics } = foundation
  const client = here ? undefined : tokenIssuerClient(foundation)
  const localProvider = localProviderOf(config)
  const mayBegin = new Set(config.providers.filter(isUpstream).flatMap(({ id, signUp }) => (signUp ? [id] : [])))
  const upstreams = upstreamsOf(foundation)
  const directories = createDirectories({ directories: config.directories.map(withCa), log })
  const post = postOf(config, log)
  measure(metrics, upstreams, directories, post)
  const masterKeys = [masterKey, ...(previousMasterKey ? [previousMasterKey] : [])]
  const authentication = authenticationOver(foundation, store, remoteKeysOf(foundation), limiter)
  const service = createLoginService({
    ...foundation,
    operatorOf: (context) => operatorOf(context, { authentication, store }),
    store,
    authorization: here ?? client!.calls,
    partitions: config.store.partitions,
    issuer: config.issuer,
    session: config.session,
    upstreams,
    mayBegin: (provider) => mayBegin.has(provider),
    localProvider,
    rules: config.roles,
    directories,
    post,
    passwords: { leastCharacters: config.passwords.leastCharacters, refused: linesOf(config.passwords.refused) },
    look: lookOf(config),
    language: config.pages.language,
    csrfKey: keyFor(masterKey, 'csrf v1'),
    linkKey: keyFor(masterKey, 'account link v1'),
    ticketKeys: masterKeys.map((key) => keyFor(key, 'ticket v1')),
    setupToken: localProvider === undefined ? undefined : setupTokenFrom(masterKey),
    throttle: throttles(config, limiter),
  })
  return {
    routes: [],
    routers: service.routers,
    rpc: [rpcService(AccountsService, service.accounts!)],
    ready: { store: () => store.ping() },
    async close() {
      await post?.close()
      client?.close()
    },
  }
}

function throttles({ throttle }: Config, limiter: (options: LimiterOptions) => Limiter) {
  const perMinute = (name: string, points: number) => limiter({ name, points, durationMs: minuteMs })
  return {
    signIns: perMinute('sign-ins', throttle.failedSignInsPerMinute),
    userCodes: perMinute('user-codes', throttle.wrongUserCodesPerMinute),
    secondFactors: perMinute('second-factors', throttle.failedSecondFactorsPerMinute),
    departures: perMinute('departures', throttle.upstreamSignInsPerMinute),
    resets: perMinute('resets', throttle.resetRequestsPerMinute),
  }
}

const upstreamsOf = (foundation: Foundation): Upstreams =>
  createUpstreams({
    providers: foundation.config.providers.filter(isUpstream),
    reach: reachOf(foundation),
    now: foundation.now,
    log: foundation.log,
    breaker: () => createRemoteBreaker(),
    pem: (file) => readFileSync(file),
  })

const withCa = <Server extends { readonly ca?: string | undefined }>({ ca, ...rest }: Server) => ({
  ...rest,
  ...(ca !== undefined && { ca: readFileSync(ca) }),
})

const linesOf = (file: string | undefined): string[] =>
  file === undefined ? [] : readFileSync(file, 'utf8').split(/\r?\n/)

/** Without a mail server nothing is sent; where everything is only tried out, what would be is shown. */
function postOf({ mail, demo }: Config, log: Foundation['log']): Post | undefined {
  if (mail) return createPost({ ...withCa(mail), log })
  return demo ? createPrintingPost((text) => void process.stdout.write(text)) : undefined
}

const imageTypes = { svg: 'image/svg+xml', png: 'image/png' } as const

function lookOf({ pages }: Config): Look {
  const { logo, language: _language, ...theme } = pages
  const bytes = logo === undefined ? undefined : readFileSync(logo)
  const type = bytes?.[0] === 0x89 ? imageTypes.png : imageTypes.svg
  return createLook({ ...theme, ...(bytes && { logo: { bytes, type } }) })
}

function measure(
  { counter, gauge }: Foundation['metrics'],
  upstreams: Upstreams,
  directories: Directories,
  post: Post | undefined,
): void {
  const sum = (numbers: readonly number[]) => numbers.reduce((all, each) => all + each, 0)
  const lines = () => Object.values(upstreams.stats())
  counter('countersign_upstream_token_calls_total', 'Codes that were redeemed at providers.', () =>
    sum(lines().map(({ tokenCalls }) => tokenCalls)),
  )
  counter('countersign_upstream_calls_total', 'Everything else that providers were asked.', () =>
    sum(lines().map(({ otherCalls }) => otherCalls)),
  )
  gauge(
    'countersign_upstream_down',
    'Providers that are not asked at present, for they failed.',
    () => lines().filter(({ breaker }) => breaker !== 'closed').length,
  )
  counter('countersign_directory_lookups_total', 'People looked up in directories.', () =>
    sum(directories.stats().map(({ lookUps }) => lookUps)),
  )
  counter(
    'countersign_directory_failures_total',
    'Of these, those that gave nothing because the directory failed.',
    () => sum(directories.stats().map(({ failures }) => failures)),
  )
  counter('countersign_letters_sent_total', 'Letters that a mail server took.', () => post?.stats().sent ?? 0)
  counter('countersign_letters_failed_total', 'Letters that were given up.', () => post?.stats().failed ?? 0)
  gauge('countersign_letters_waiting', 'Letters on their way, or waiting.', () => post?.stats().waiting ?? 0)
}

function tokenIssuerClient({ config, masterKey, metrics }: Foundation) {
  const { target, tls } = config.services.tokenIssuer
  return createRpcClient(AuthorizationService, {
    target,
    allowPlaintext: config.allowPlaintext,
    ...(tls && { tls: clientPemsOf(tls) }),
    client: loginCredentials(masterKey),
    deadlineMs: limits.tokenIssuerMs,
    idempotent: ['getSession', 'endSession', 'signOutEverywhere', 'listSessions', 'listApplications', 'getSubject'],
    onCall: rpcClientObserver(metrics),
  })
}
