import type { Millis } from '@countersign/contracts'
import { authorizationCodeGrant, buildAuthorizationUrl, type ServerMetadata } from 'openid-client'
import { objectOf, isObject, type Members } from './answer.ts'
import { claimAt, emailIn, type Email } from './claims.ts'
import { callbackOf, clientOf, requestParameters } from './client.ts'
import type { Ending, Flow, UpstreamPerson } from './flow.ts'
import type { Line } from './line.ts'
import { limits } from './limits.ts'
import { personOf } from './person.ts'
import { issuerOf, type GithubProvider, type Oauth2Provider, type PlainProvider } from './provider.ts'
import { emailOf, textOf, webUrlOf } from './text.ts'
import { denied, refused } from './trouble.ts'

export interface PlainOptions {
  readonly provider: PlainProvider
  readonly line: Line
  readonly now: () => Millis
  /** Of all providers, this one too. */
  readonly issuers: ReadonlySet<string>
}

interface Endpoints {
  readonly authorization_endpoint: string
  readonly token_endpoint: string
}

const githubScopes = ['read:user', 'user:email']

function endpointsOf(provider: PlainProvider): Endpoints {
  if (provider.kind === 'oauth2') {
    return { authorization_endpoint: provider.authorizationUrl, token_endpoint: provider.tokenUrl }
  }
  const url = withoutSlash(provider.url)
  return {
    authorization_endpoint: `${url}/login/oauth/authorize`,
    token_endpoint: `${url}/login/oauth/access_token`,
  }
}

const withoutSlash = (url: string): string => url.replace(/\/$/, '')

/** Some servers send an ID token as well, which is none of ours to check, and some leave out what there is one of. */
const bearerOf = ({ access_token, token_type = 'bearer' }: Members): Members => ({ access_token, token_type })

/** OAuth 2.0's code flow with PKCE; who signed in is what the provider tells the bearer of the access token. */
export function plainFlow({ provider, line, now, issuers }: PlainOptions): Flow {
  const server: ServerMetadata = { issuer: issuerOf(provider), ...endpointsOf(provider) }
  const scopes = provider.scopes ?? (provider.kind === 'github' ? githubScopes : [])

  async function finish(ending: Ending): Promise<UpstreamPerson> {
    const client = clientOf(provider, server, now(), line.fetchOnce(bearerOf))
    const tokens = await authorizationCodeGrant(client, comparable(callbackOf(ending)), {
      expectedState: ending.state,
      pkceCodeVerifier: ending.codeVerifier,
    })
    return provider.kind === 'github'
      ? githubPerson(provider, line, scopes, tokens.access_token)
      : plainPerson(provider, line, tokens.access_token)
  }

  /** RFC 9207 section 2.4: without an issuer to compare with, what says that it is of another provider of ours is not taken. */
  function comparable(callback: URL): URL {
    const told = callback.searchParams.getAll('iss')
    if (provider.kind === 'oauth2' && provider.issuer !== undefined) return callback
    if (told.some((issuer) => issuers.has(issuer))) throw refused(line.name, 'the callback has the iss of another')
    callback.searchParams.delete('iss')
    return callback
  }

  return {
    async begin(beginning) {
      line.checkOpen()
      const { loginHint = '', prompt = '' } = beginning
      return buildAuthorizationUrl(clientOf(provider, server, now()), {
        ...(await requestParameters(scopes, beginning)),
        ...(provider.kind === 'github' && textOf(loginHint) && { login: loginHint }),
        ...(provider.kind === 'github' && prompt === 'select_account' && { prompt }),
      })
    },
    finish: (ending) => line.attempt(() => finish(ending)),
    signOutUrl: () => Promise.resolve(undefined),
  }
}

/** A number that is one to the last digit, or text; undefined for anything else. */
const identifierOf = (value: unknown): string | undefined =>
  typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : textOf(value, limits.subjectCharacters)

/** Says which field it is of, so that no two fields' values are one subject. */
function subjectOf(provider: Oauth2Provider, userinfo: Members, email: Email | undefined): string {
  const { subjectField } = provider
  for (const field of subjectField === undefined ? ['sub', 'id'] : [subjectField]) {
    const value = claimAt(userinfo, field)
    const identifier = identifierOf(value)
    if (identifier !== undefined) return `${field}:${identifier}`
    // Taken for absent it would make somebody else of the person.
    if (value !== undefined || subjectField !== undefined) {
      throw denied(`${provider.name ?? provider.id} does not say who you are.`, `${field} is no text or whole number`)
    }
  }
  if (email === undefined) {
    throw denied(`${provider.name ?? provider.id} does not say who you are.`, 'there is neither sub, id nor e-mail')
  }
  return `email:${email.address}`
}

async function plainPerson(provider: Oauth2Provider, line: Line, accessToken: string): Promise<UpstreamPerson> {
  const userinfo = objectOf(await line.json(provider.userinfoUrl, accessToken), line.name)
  const email = emailIn([userinfo], provider.emailField)
  const name = textOf(claimAt(userinfo, provider.nameField))
  const subject = subjectOf(provider, userinfo, email)
  // Whoever may enter any address there would be whomever they like here.
  if (email?.isVerified === false && subject.endsWith(`:${email.address}`)) {
    throw denied(`Confirm your e-mail address at ${line.name} first.`, 'the subject is an unconfirmed e-mail address')
  }
  return personOf(provider, {
    subject,
    profile: name === undefined ? {} : { name },
    email,
    isEmailTrusted: true,
    sources: [userinfo],
    methods: {},
  })
}

/** GitHub's REST API: of github.com, and of a GitHub Enterprise Server. */
async function githubPerson(provider: GithubProvider, line: Line, scopes: readonly string[], accessToken: string) {
  const url = withoutSlash(provider.url)
  const api = url === 'https://github.com' ? 'https://api.github.com' : `${url}/api/v3`
  const user = objectOf(await line.json(`${api}/user`, accessToken), line.name)
  const { id } = user
  if (!Number.isSafeInteger(id)) throw denied(`${line.name} does not say who you are.`, 'id is no whole number')
  const own = emailOf(user.email)
  const mayAsk = scopes.includes('user:email') || scopes.includes('user')
  const address = own ?? (mayAsk ? primaryOf(await line.json(`${api}/user/emails`, accessToken)) : undefined)
  const texts = { name: textOf(user.name), preferred_username: textOf(user.login) }
  const urls = { profile: webUrlOf(user.html_url), picture: webUrlOf(user.avatar_url) }
  return personOf(provider, {
    subject: String(id),
    profile: Object.fromEntries(Object.entries({ ...texts, ...urls }).filter(([, value]) => value !== undefined)),
    email: address === undefined ? undefined : { address, isVerified: undefined },
    isEmailTrusted: true,
    sources: [user],
    methods: {},
  })
}

function primaryOf(emails: unknown): string | undefined {
  const entries = Array.isArray(emails) ? emails : []
  const primary: unknown = entries.find((entry) => isObject(entry) && entry.primary === true && entry.verified === true)
  return isObject(primary) ? emailOf(primary.email) : undefined
}
