import type { Breaker, Log } from '@countersign/chassis'
import { Failure, type Millis } from '@countersign/contracts'
import type { Beginning, Ending, Flow, UpstreamPerson } from './flow.ts'
import { FailureJournal } from './journal.ts'
import { Line, type LineStats } from './line.ts'
import { limits } from './limits.ts'
import { plainFlow } from './oauth2.ts'
import { openIdFlow } from './openid.ts'
import { issuerOf, nameOf, type UpstreamKind, type UpstreamProvider } from './provider.ts'

export interface UpstreamsOptions {
  /** Those of the configuration that are elsewhere. */
  readonly providers: readonly UpstreamProvider[]
  /** Private networks may be reached, for a provider is named by the operator; link-local addresses and metadata never. */
  readonly reach: { readonly allowLoopback: boolean }
  readonly now: () => Millis
  readonly log: Log
  /** One for each provider; see chassis' `createRemoteBreaker`. */
  readonly breaker: (provider: string) => Breaker
  /** Reads a provider's `ca`. */
  readonly pem: (file: string) => string | Buffer
}

/** Signing in elsewhere. Nothing of a sign-in is kept: tokens are dropped once it is known who came. */
export interface Upstreams {
  /** For buttons, in the order of the configuration. */
  list(): readonly { readonly id: string; readonly name: string; readonly kind: UpstreamKind }[]
  has(id: string): boolean
  /**
   * Where to send the browser.
   * @throws Failure `not_found`, `unavailable`, `too_many_requests`
   */
  begin(id: string, beginning: Beginning): Promise<URL>
  /**
   * Who came back, found out with one call to the token endpoint at most, which is never repeated.
   * @throws Failure `invalid_request` (start again), `access_denied` (may not come in), and those of `begin`
   */
  finish(id: string, ending: Ending): Promise<UpstreamPerson>
  /** Where to sign out there, too; undefined where that is not offered, or cannot be told at present. */
  signOutUrl(id: string, options: { readonly returnTo: string }): Promise<string | undefined>
  stats(): Readonly<Record<string, LineStats>>
}

interface Upstream {
  readonly provider: UpstreamProvider
  readonly line: Line
  readonly flow: Flow
  readonly journal: FailureJournal
}

export function createUpstreams(options: UpstreamsOptions): Upstreams {
  const { providers } = options
  const issuers = new Set(providers.map(issuerOf))
  const upstreams = new Map(providers.map((provider) => [provider.id, upstreamOf(provider, options, issuers)]))

  /** Within the bounds of that provider; what goes wrong is written down. */
  async function serve<Value>(id: string, work: (flow: Flow) => Promise<Value>): Promise<Value> {
    const upstream = upstreams.get(id)
    if (!upstream) throw new Failure('not_found', 'There is no such way to sign in.')
    const { line, flow, journal } = upstream
    try {
      return await line.serve(() => work(flow))
    } catch (thrown) {
      journal.write(thrown as Failure)
      throw thrown
    }
  }

  return {
    list: () => providers.map((provider) => ({ id: provider.id, name: nameOf(provider), kind: provider.kind })),
    has: (id) => upstreams.has(id),
    begin: (id, beginning) => serve(id, (flow) => flow.begin(beginning)),
    finish: (id, ending) =>
      serve(id, async (flow) => {
        checkCallback(ending)
        return flow.finish(ending)
      }),
    signOutUrl: async (id, { returnTo }) =>
      upstreams.has(id) ? serve(id, (flow) => flow.signOutUrl(returnTo)).catch(() => undefined) : undefined,
    stats: () => Object.fromEntries([...upstreams].map(([id, { line }]) => [id, line.stats()])),
  }
}

function upstreamOf(provider: UpstreamProvider, options: UpstreamsOptions, issuers: ReadonlySet<string>): Upstream {
  const { reach, now, log } = options
  const line = new Line(provider, { ...options, breaker: options.breaker(provider.id) })
  const journal = new FailureJournal(provider.id, log)
  const isOpenId = provider.kind === 'google' || provider.kind === 'oidc'
  const flow = isOpenId
    ? openIdFlow({ provider, issuer: issuerOf(provider), line, reach, now, warn: (reason) => journal.warn(reason) })
    : plainFlow({ provider, line, now, issuers })
  return { provider, line, flow, journal }
}

/** What a browser brings is looked at before a provider is asked about it. */
function checkCallback({ callback }: Ending): void {
  const code = callback.searchParams.get('code') ?? ''
  const isBounded = callback.search.length <= limits.callbackCharacters && code.length <= limits.codeCharacters
  // RFC 6749 appendix A.11.
  if (isBounded && /^[\x20-\x7e]*$/.test(code)) return
  throw new Failure('invalid_request', 'What your browser brought back is no answer to a sign-in. Start again.')
}
