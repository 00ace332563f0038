import { z } from 'zod'
import { hostText } from './address.ts'
import { file, secret, type Surroundings } from './credential.ts'
import { duration } from './duration.ts'
import { choice, flag, identifier, list, map, mapOf, oneOrSome, phrase, scopeToken, texts } from './leaf.ts'
import { limits } from './limits.ts'
import { asProperties } from './spelling.ts'
import { foreignIssuerUrl, issuerUrl, webUrl } from './url.ts'

const kind = <const Kind extends string>(name: Kind) => z.literal(name).meta({ title: name })

const id = () => identifier().describe('What it is called in URLs and rules.')
const name = () => phrase().optional().describe('What the button of the sign-in page calls it.')

/** What every provider elsewhere has. */
const common = (surroundings: Surroundings) => ({
  name: name(),
  client_id: phrase().describe('Our client id there.'),
  client_secret: secret(surroundings).optional().describe('Our client secret there; left out, we are a public client.'),
  scopes: texts(scopeToken())
    .optional()
    .describe('Scopes to ask for instead of those that signing in needs; `openid` is always among those of OpenID.'),
  roles_claim: oneOrSome(phrase(), 'a claim, or a list of claims')
    .prefault([])
    .describe('Claims that list a person’s roles there; dots lead into maps, as in `realm_access.roles`.'),
  attributes: mapOf(identifier(), phrase(), 'a map of our names to claims')
    .prefault({})
    .describe('Attributes that people have by signing in there, and the claims that they are read from.'),
  email_domains: texts(domain(), 1)
    .optional()
    .describe('Only people with a trusted address in one of these may sign in.'),
  sign_up: flag().prefault(true).describe('Whether people who are not known yet get an account.'),
  trust_email: flag()
    .prefault(false)
    .describe('Take addresses as verified without being told. Only where nobody can enter just any.'),
  ca: file(surroundings).optional().describe('Certificates (PEM) of the authorities that may sign the server’s.'),
  timeout: duration(limits.durationsMs.upstream).prefault('5s').describe('How long each answer of it may take.'),
})

/** A domain of e-mail addresses, in small letters. */
export const domain = () => hostText().transform((host) => host.toLowerCase())

/** As the configuration has it. */
const provided = <Given extends { timeout: number }>({ timeout, ...rest }: Given) => ({
  ...asProperties(rest),
  timeoutMs: timeout,
})

/** OpenID Connect Core section 3.1.2.1: without this scope there is no ID token. */
const withOpenid = <Given extends { scopes?: string[] | undefined }>({ scopes, ...rest }: Given) => ({
  ...rest,
  ...(scopes && { scopes: [...new Set(['openid', ...scopes])] }),
})

/** Whose tokens may be exchanged (RFC 8693 section 2.1): an `aud` or `azp` that is not named was meant for somebody else. */
const tokenExchange = () =>
  map({
    audience: texts(phrase(), 1).describe('One of these has to be in their `aud`.'),
    authorized_parties: texts(phrase(), 1)
      .optional()
      .describe('Their `azp`, or else `client_id`, has to be one of these; left out, any.'),
  })
    .transform(asProperties)
    .optional()
    .describe('Takes its access and ID tokens in exchange for ours (RFC 8693).')

const google = (surroundings: Surroundings) =>
  map({
    id: id(),
    kind: kind('google').describe('Google.'),
    ...common(surroundings),
    hosted_domain: domain().optional().describe('Only accounts of this Google Workspace may sign in (`hd`).'),
  }).transform((given) => provided(withOpenid(given)))

const oidc = (surroundings: Surroundings) =>
  map({
    id: id(),
    kind: kind('oidc').describe('OpenID Connect, by discovery.'),
    issuer: foreignIssuerUrl().describe('Its issuer, letter by letter as its tokens have it.'),
    ...common(surroundings),
    access_token_claims: flag()
      .prefault(false)
      .describe('Read `roles_claim` and `attributes` from its access token as well, where that is a JWT it signed.'),
    token_exchange: tokenExchange(),
  }).transform((given) => provided(withOpenid(given)))

const github = (surroundings: Surroundings) =>
  map({
    id: id(),
    kind: kind('github').describe('GitHub.'),
    url: issuerUrl().prefault('https://github.com').describe('Where it is; that of a GitHub Enterprise Server.'),
    ...common(surroundings),
  }).transform(provided)

const oauth2 = (surroundings: Surroundings) =>
  map({
    id: id(),
    kind: kind('oauth2').describe('OAuth 2.0 without OpenID Connect.'),
    issuer: foreignIssuerUrl()
      .optional()
      .describe('Whose identities they are; left out, those of this provider here. A change makes everybody unknown.'),
    authorization_url: webUrl().describe('Its authorization endpoint.'),
    token_url: webUrl().describe('Its token endpoint.'),
    userinfo_url: webUrl().describe('Where it says who signed in.'),
    ...common(surroundings),
    client_authentication: choice(['form', 'basic'])
      .prefault('form')
      .describe('How the secret goes to its token endpoint (RFC 6749 section 2.3.1).'),
    email_field: phrase().prefault('email').describe('The field of the userinfo answer that is the email address.'),
    subject_field: phrase()
      .optional()
      .describe(
        'The field that never changes and is nobody else’s; left out, `sub`, else `id`, else the email address.',
      ),
    name_field: phrase().prefault('name').describe('The field that is the person’s name.'),
  }).transform(provided)

const local = () => map({ id: id(), kind: kind('local').describe('Accounts kept here.'), name: name() })

export const providers = (surroundings: Surroundings) =>
  list(
    z.discriminatedUnion(
      'kind',
      [google(surroundings), oidc(surroundings), github(surroundings), oauth2(surroundings), local()],
      { error: 'a map of keys' },
    ),
  )
    .prefault([])
    .describe('Who signs people in.')
