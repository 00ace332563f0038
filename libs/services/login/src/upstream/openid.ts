import { verifyRemoteJwt } from '@countersign/chassis'
import type { Millis } from '@countersign/contracts'
import {
  authorizationCodeGrant,
  buildAuthorizationUrl,
  buildEndSessionUrl,
  fetchUserInfo,
  type ServerMetadata,
} from 'openid-client'
import type { Members } from './answer.ts'
import { claimAt, emailIn, profileIn } from './claims.ts'
import { callbackOf, clientOf, requestParameters } from './client.ts'
import { Discovery, type Metadata } from './discovery.ts'
import type { Ending, Flow, UpstreamPerson } from './flow.ts'
import type { Line } from './line.ts'
import { limits } from './limits.ts'
import { personOf } from './person.ts'
import type { OpenIdProvider } from './provider.ts'
import { textOf } from './text.ts'
import { denied, refused, silent } from './trouble.ts'

export interface OpenIdOptions {
  readonly provider: OpenIdProvider
  readonly issuer: string
  readonly line: Line
  readonly reach: { readonly allowLoopback: boolean }
  readonly now: () => Millis
  /** Told when claims that were to be had are not, and why. */
  readonly warn: (reason: string) => void
}

const narrowScopes = { google: ['openid', 'email'], oidc: ['openid', 'profile', 'email'] } as const

const hintOf = (name: string, text: string | undefined) => {
  const hint = textOf(text)
  return hint === undefined ? {} : { [name]: hint }
}

/** OpenID Connect's code flow, with PKCE and nonce (Core section 3.1, RFC 9700 section 2.1.1). */
export function openIdFlow(options: OpenIdOptions): Flow {
  const { provider, line, now } = options
  const discovery = new Discovery(options)
  const scopes = provider.scopes ?? narrowScopes[provider.kind]
  const hostedDomain = provider.kind === 'google' ? provider.hostedDomain : undefined

  return {
    async begin(beginning) {
      line.checkOpen()
      const metadata = await discovery.current()
      return buildAuthorizationUrl(clientOf(provider, metadataFor(metadata), now()), {
        ...(await requestParameters(scopes, beginning)),
        nonce: beginning.nonce,
        ...hintOf('login_hint', beginning.loginHint),
        ...hintOf('prompt', beginning.prompt),
        ...hintOf('ui_locales', beginning.uiLocales),
        ...hintOf('hd', hostedDomain),
      })
    },

    async finish(ending) {
      const metadata = await discovery.current()
      return line.attempt(() => finish({ ...options, metadata, scopes }, ending))
    },

    async signOutUrl(returnTo) {
      const metadata = await discovery.current()
      if (metadata.end_session_endpoint === undefined) return undefined
      const client = clientOf(provider, metadataFor(metadata), now())
      return buildEndSessionUrl(client, { post_logout_redirect_uri: returnTo }).href
    },
  }
}

/** Its type has no room for what is not there. */
const metadataFor = (metadata: Metadata): ServerMetadata => ({ ...metadata })

interface Finishing extends OpenIdOptions {
  readonly metadata: Metadata
  readonly scopes: readonly string[]
}

async function finish(finishing: Finishing, ending: Ending): Promise<UpstreamPerson> {
  const { provider, line, now, metadata } = finishing
  const client = clientOf(provider, metadataFor(metadata), now(), line.fetchOnce())
  const tokens = await authorizationCodeGrant(client, callbackOf(ending), {
    expectedState: ending.state,
    expectedNonce: ending.nonce,
    pkceCodeVerifier: ending.codeVerifier,
    idTokenExpected: true,
  })
  const idToken = await idTokenClaims(finishing, tokens.id_token!)
  const subject = subjectOf(idToken, line.name)
  checkHostedDomain(provider, idToken, line.name)
  const inAccessToken = await accessTokenClaims(finishing, tokens.access_token, subject)
  const inUserinfo =
    metadata.userinfo_endpoint !== undefined && isWanting(finishing, idToken, inAccessToken)
      ? [(await fetchUserInfo(client, tokens.access_token, subject)) as Members]
      : []
  const sources = [idToken, ...inUserinfo]
  return personOf(provider, {
    subject,
    profile: profileIn(sources),
    email: emailIn(sources),
    isEmailTrusted: false,
    sources: [...sources, ...inAccessToken],
    methods: idToken,
  })
}

/** openid-client has looked at its claims; whether the issuer made it is looked at here (Core section 3.1.3.7). */
async function idTokenClaims({ provider, line, now, metadata }: Finishing, idToken: string): Promise<Members> {
  const { key } = line.keysAt(metadata.jwks_uri)
  const { issuer } = metadata
  const verified = await verifyRemoteJwt(idToken, { key, issuer, now: now(), skewSeconds: limits.skewSeconds }).catch(
    (cause: unknown) => {
      throw silent(line.name, cause)
    },
  )
  if ('refusal' in verified) throw refused(line.name, `the ID token is not taken: ${verified.refusal}`)
  const { claims } = verified
  // One audience may be ours while another client asked for it.
  if (claims.azp !== undefined && claims.azp !== provider.clientId) {
    throw refused(line.name, 'the ID token is not taken: its azp is somebody else')
  }
  return claims
}

function subjectOf({ sub }: Members, name: string): string {
  const subject = textOf(sub, limits.subjectCharacters)
  if (subject !== undefined) return subject
  throw refused(name, 'the ID token is not taken: its sub is no text of at most 255 characters')
}

/** The parameter only chooses among accounts, and can be left out by the browser; the claim decides. */
function checkHostedDomain(provider: OpenIdProvider, { hd }: Members, name: string): void {
  if (provider.kind !== 'google' || provider.hostedDomain === undefined || hd === provider.hostedDomain) return
  throw denied(`Only ${name} accounts of ${provider.hostedDomain} may sign in here.`, 'the ID token has another hd')
}

/** Roles and attributes that are in a JWT access token alone, as Keycloak has them; nothing where nothing may be read from it. */
async function accessTokenClaims(finishing: Finishing, token: string, subject: string): Promise<Members[]> {
  const { provider, line, now, metadata, warn } = finishing
  if (provider.kind !== 'oidc' || !provider.accessTokenClaims) return []
  const { key } = line.keysAt(metadata.jwks_uri)
  const { issuer } = metadata
  const verified = await verifyRemoteJwt(token, { key, issuer, now: now(), skewSeconds: limits.skewSeconds }).catch(
    () => ({ refusal: 'its keys are not to be had' }),
  )
  const reason = 'refusal' in verified ? verified.refusal : reasonAgainst(verified.claims, provider.clientId, subject)
  if (reason === undefined && 'claims' in verified) return [verified.claims]
  warn(`the access token is not taken: ${reason}`)
  return []
}

function reasonAgainst({ azp, client_id: clientId, sub }: Members, ours: string, subject: string): string | undefined {
  if (sub !== subject) return 'its sub is somebody else'
  return (azp ?? clientId) === ours ? undefined : 'its azp is somebody else'
}

/** Whether something that was asked for, or is to be read, is not there yet. */
function isWanting({ provider, scopes }: Finishing, idToken: Members, inAccessToken: readonly Members[]): boolean {
  const isThere = (path: string) => claimAt(idToken, path) !== undefined
  const isReadable = (path: string) =>
    isThere(path) || inAccessToken.some((claims) => claimAt(claims, path) !== undefined)
  return (
    (scopes.includes('email') && !isThere('email')) ||
    (scopes.includes('profile') && !['name', 'preferred_username', 'given_name'].some(isThere)) ||
    ![...provider.rolesClaim, ...Object.values(provider.attributes)].every(isReadable)
  )
}
