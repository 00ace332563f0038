import { createRemoteBreaker, type Log } from '@countersign/chassis'
import type { Beginning, UpstreamPerson } from '../flow.ts'
import type { GithubProvider, Oauth2Provider, OidcProvider, UpstreamProvider } from '../provider.ts'
import { createUpstreams, type Upstreams, type UpstreamsOptions } from '../upstreams.ts'
import type { HostileProvider } from './hostile-provider.ts'

const registration = (upstream: HostileProvider, id: string) => ({
  id,
  clientId: upstream.clientId,
  clientSecret: { reveal: () => upstream.clientSecret },
  rolesClaim: [],
  attributes: {},
  trustEmail: false,
  timeoutMs: 2_000,
})

export const oidc = (upstream: HostileProvider, over: Partial<OidcProvider> = {}): OidcProvider => ({
  ...registration(upstream, 'oidc'),
  kind: 'oidc',
  issuer: upstream.issuer,
  accessTokenClaims: false,
  ...over,
})

export const oauth2 = (upstream: HostileProvider, over: Partial<Oauth2Provider> = {}): Oauth2Provider => ({
  ...registration(upstream, 'hub'),
  kind: 'oauth2',
  authorizationUrl: `${upstream.issuer}/authorize`,
  tokenUrl: `${upstream.issuer}/token`,
  userinfoUrl: `${upstream.issuer}/userinfo`,
  clientAuthentication: 'form',
  emailField: 'email',
  nameField: 'name',
  ...over,
})

export const github = (upstream: HostileProvider, over: Partial<GithubProvider> = {}): GithubProvider => ({
  ...registration(upstream, 'github'),
  kind: 'github',
  url: upstream.issuer,
  ...over,
})

/** Of one browser's sign-in. */
export const proof = (id: string): Beginning => ({
  redirectUri: `https://login.example/login/callback/${id}`,
  state: 'a state of 128 random bits',
  nonce: 'a nonce of 128 random bits',
  codeVerifier: 'a-verifier-of-forty-three-characters-or-more-012',
})

/** Upstreams of these providers, with what they log and a clock that can be moved. */
export class Setting {
  readonly lines: unknown[] = []
  aheadMs = 0
  readonly upstreams: Upstreams

  constructor(providers: readonly UpstreamProvider[], over: Partial<UpstreamsOptions> = {}) {
    const write = (fields: object, message: string) => void this.lines.push({ ...fields, message })
    const log: Log = { warn: write, error: write }
    this.upstreams = createUpstreams({
      providers,
      reach: { allowLoopback: true },
      now: () => Date.now() + this.aheadMs,
      log,
      breaker: () => createRemoteBreaker(),
      pem: () => '',
      ...over,
    })
  }

  /** From the button to whoever came back. */
  async signIn(
    upstream: HostileProvider,
    id = 'oidc',
    over: Record<string, string | undefined> = {},
  ): Promise<UpstreamPerson> {
    const url = await this.upstreams.begin(id, proof(id))
    return this.upstreams.finish(id, { ...proof(id), callback: upstream.authorize(url, over) })
  }

  /** What was logged, with the causes' messages. */
  logged(): string {
    const withErrors = (_: string, value: unknown) =>
      value instanceof Error ? { message: value.message, cause: value.cause } : value
    return JSON.stringify(this.lines, withErrors)
  }
}
