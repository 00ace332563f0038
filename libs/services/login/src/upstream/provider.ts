/** What every provider has whose people sign in here; as the configuration says it. */
interface Registration {
  readonly id: string
  /** For the button. */
  readonly name?: string | undefined
  readonly clientId: string
  /** Absent: we are a public client there. */
  readonly clientSecret?: { reveal(): string } | undefined
  /** Instead of those that the kind asks for. */
  readonly scopes?: readonly string[] | undefined
  /** Claims that list roles; dots lead into maps. */
  readonly rolesClaim: readonly string[]
  /** Our names, and the claims they come from. */
  readonly attributes: Readonly<Record<string, string>>
  /** In small letters; absent: any. */
  readonly emailDomains?: readonly string[] | undefined
  readonly trustEmail: boolean
  /** Path of a PEM file; absent: the authorities that Node trusts. */
  readonly ca?: string | undefined
  /** For each answer. */
  readonly timeoutMs: number
}

export interface GoogleProvider extends Registration {
  readonly kind: 'google'
  /** Only accounts of this Google Workspace. */
  readonly hostedDomain?: string | undefined
}

export interface OidcProvider extends Registration {
  readonly kind: 'oidc'
  readonly issuer: string
  /** Whether roles and attributes are also read from its access token, where that is a JWT. */
  readonly accessTokenClaims: boolean
}

export interface GithubProvider extends Registration {
  readonly kind: 'github'
  readonly url: string
}

export interface Oauth2Provider extends Registration {
  readonly kind: 'oauth2'
  readonly issuer?: string | undefined
  readonly authorizationUrl: string
  readonly tokenUrl: string
  readonly userinfoUrl: string
  readonly clientAuthentication: 'form' | 'basic'
  readonly emailField: string
  readonly subjectField?: string | undefined
  readonly nameField: string
}

export type OpenIdProvider = GoogleProvider | OidcProvider
export type PlainProvider = GithubProvider | Oauth2Provider
export type UpstreamProvider = OpenIdProvider | PlainProvider
export type UpstreamKind = UpstreamProvider['kind']

const names = { google: 'Google', github: 'GitHub' } as const

/** What people know it by. */
export const nameOf = ({ kind, name, id }: UpstreamProvider): string =>
  name ?? (kind === 'google' || kind === 'github' ? names[kind] : id)

/** Where identities of its people are from: they are the issuer's and the subject's, whatever the provider is called here. */
export function issuerOf(provider: UpstreamProvider): string {
  if (provider.kind === 'google') return 'https://accounts.google.com'
  const issuer = provider.kind === 'github' ? undefined : provider.issuer
  return issuer ?? `urn:countersign:provider:${provider.id}`
}
