import { z } from 'zod'
import { hostText } from './address.ts'
import { secret, type Surroundings } from './credential.ts'
import { duration } from './duration.ts'
import { choice, flag, identifier, list, map, matching, phrase, scopeToken, text, texts } from './leaf.ts'
import { limits } from './limits.ts'
import { audienceUri, issuerUrl, redirectUri, webUrl } from './url.ts'

/** Grants that a client may be allowed (RFC 6749, RFC 8628, RFC 8693). */
export const grantTypes = [
  'authorization_code',
  'client_credentials',
  'refresh_token',
  'urn:ietf:params:oauth:grant-type:device_code',
  'urn:ietf:params:oauth:grant-type:token-exchange',
] as const

export const resources = () =>
  list(
    map({
      id: identifier().describe('What clients here call it by.'),
      audience: audienceUri().describe('The `aud` of tokens for it, and its resource indicator (RFC 8707).'),
      scopes: z
        .record(scopeToken(), phrase(), { error: 'a map of scopes to their descriptions' })
        .prefault({})
        .meta({ title: 'a map of scopes to their descriptions' })
        .describe('Scopes that mean something to it, and what they allow, in words for the consent page.'),
    }),
  )
    .prefault([])
    .describe('Resource servers: what tokens are for.')

const client = (surroundings: Surroundings) =>
  map({
    id: identifier().describe('The `client_id`.'),
    name: phrase().optional().describe('What people are shown instead of the id.'),
    public: flag()
      .prefault(false)
      .describe('Cannot keep a secret: an app in a browser, on a phone or a desk (RFC 6749 section 2.1).'),
    secret: secret(surroundings, { most: limits.clientSecretCharacters })
      .optional()
      .describe('Its secret, or the hash of it that begins with `scrypt$`.'),
    previous_secret: secret(surroundings, { most: limits.clientSecretCharacters })
      .optional()
      .describe('A second secret that is still good, while the first is being rolled out.'),
    tls_client_auth_san_dns: hostText()
      .optional()
      .describe('Authenticates by a certificate with this DNS name (RFC 8705 section 2.1.2).'),
    tls_client_auth_subject_dn: phrase()
      .optional()
      .describe('Authenticates by a certificate with this subject, as in RFC 4514 (RFC 8705 section 2.1.2).'),
    grants: texts(choice(grantTypes)).prefault([]).describe('Grants that it may use.'),
    scopes: texts(scopeToken()).prefault([]).describe('Scopes that it may ask for.'),
    audience: texts(identifier()).prefault([]).describe('Ids of the resources that its tokens are for.'),
    redirect_uris: texts(redirectUri())
      .prefault([])
      .describe('Where its authorization codes may be sent; compared letter by letter.'),
    require_pkce: flag()
      .prefault(true)
      .describe('Whether it has to use PKCE (RFC 7636); only a confidential client may do without.'),
    introspect: texts(matching('the id of a resource, or *', /^(\*|[A-Za-z0-9].*)$/))
      .prefault([])
      .describe('Ids of the resources whose tokens it may introspect; `*` for all.'),
    audit: flag().prefault(false).describe('Whether it may read the audit journal.'),
    access_token_lifetime: duration(limits.durationsMs.accessToken)
      .optional()
      .describe('Overrides `lifetimes.access_token` for it.'),
  }).transform((given) => ({
    id: given.id,
    name: given.name,
    public: given.public,
    secret: given.secret,
    previousSecret: given.previous_secret,
    tlsClientAuthSanDns: given.tls_client_auth_san_dns,
    tlsClientAuthSubjectDn: given.tls_client_auth_subject_dn,
    grants: given.grants,
    scopes: given.scopes,
    audience: given.audience,
    redirectUris: given.redirect_uris,
    requirePkce: given.require_pkce,
    introspect: given.introspect,
    audit: given.audit,
    accessTokenLifetimeMs: given.access_token_lifetime,
  }))

export const clients = (surroundings: Surroundings) =>
  list(client(surroundings)).prefault([]).describe('Clients: who asks for tokens, and who asks about them.')

const kind = <const Kind extends string>(name: Kind) => z.literal(name).meta({ title: name })

const provider = (surroundings: Surroundings) => {
  const id = identifier().describe('What it is called in URLs and rules.')
  const registration = {
    client_id: phrase().describe('Our client id there.'),
    client_secret: secret(surroundings).optional().describe('Our client secret there.'),
  }
  const google = map({ id, kind: kind('google').describe('Google.'), ...registration }).transform(
    ({ client_id, client_secret, ...rest }) => ({ ...rest, clientId: client_id, clientSecret: client_secret }),
  )
  const oidc = map({
    id,
    kind: kind('oidc').describe('OpenID Connect, by discovery.'),
    issuer: issuerUrl().describe('Its issuer.'),
    ...registration,
    roles_claim: phrase().optional().describe('The claim that lists a person’s roles.'),
  }).transform(({ client_id, client_secret, roles_claim, ...rest }) => ({
    ...rest,
    clientId: client_id,
    clientSecret: client_secret,
    rolesClaim: roles_claim,
  }))
  const oauth2 = map({
    id,
    kind: kind('oauth2').describe('OAuth 2.0 without OpenID Connect.'),
    authorization_url: webUrl().describe('Its authorization endpoint.'),
    token_url: webUrl().describe('Its token endpoint.'),
    userinfo_url: webUrl().describe('Where it says who signed in.'),
    ...registration,
    email_field: phrase().prefault('email').describe('The field of the userinfo answer that is the email address.'),
  }).transform((given) => ({
    id: given.id,
    kind: given.kind,
    authorizationUrl: given.authorization_url,
    tokenUrl: given.token_url,
    userinfoUrl: given.userinfo_url,
    clientId: given.client_id,
    clientSecret: given.client_secret,
    emailField: given.email_field,
  }))
  const local = map({ id, kind: kind('local').describe('Accounts kept here.') })
  return z.discriminatedUnion('kind', [google, oidc, oauth2, local], { error: 'a map of keys' })
}

export const providers = (surroundings: Surroundings) =>
  list(provider(surroundings)).prefault([]).describe('Who signs people in.')

const email = () =>
  text('an email address', (given) =>
    /^[^\s@"<>\p{Cc}]{1,64}@[^\s@"<>\p{Cc}]{1,255}$/u.test(given) ? given : undefined,
  )

export const roles = () =>
  list(
    map({
      grant: texts(identifier()).describe('Roles to give.'),
      when: map({
        provider: identifier().describe('Id of the provider that they signed in with.'),
        email: texts(email()).optional().describe('Only these addresses.'),
      }).describe('To whom.'),
    }),
  )
    .prefault([])
    .describe('Roles that people have when they sign in.')

export const bridges = () =>
  list(
    map({
      id: identifier().describe('What it is called in URLs.'),
      provider: identifier().describe('Id of the provider that it leads to.'),
      scopes: texts(scopeToken()).prefault([]).describe('Scopes to ask the provider for.'),
    }),
  )
    .prefault([])
    .describe('Client bridges: the provider’s tokens, for an app that cannot keep its secret.')

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const

export const forwardAuth = () =>
  map({
    rules: list(
      map({
        host: hostText().describe('The host that was asked for.'),
        path: matching('a path that begins with /', /^\/[\x21-\x7e]*$/)
          .prefault('/')
          .describe('What the path begins with.'),
        methods: texts(choice(methods)).optional().describe('Only these methods.'),
        scopes: texts(scopeToken()).prefault([]).describe('Scopes that are needed.'),
      }),
    )
      .prefault([])
      .describe('The first rule that fits decides.'),
  })
    .prefault({})
    .describe('What a reverse proxy asks about.')
