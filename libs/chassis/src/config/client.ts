import { hostText } from './address.ts'
import { secret, type Surroundings } from './credential.ts'
import { duration } from './duration.ts'
import { jwks } from './jwks.ts'
import { choice, flag, identifier, list, map, matching, phrase, scopeToken, texts } from './leaf.ts'
import { limits } from './limits.ts'
import { asProperties } from './spelling.ts'
import { redirectUri, sectorOf, webUrl } from './url.ts'

/** Grants that a client may be allowed (RFC 6749, RFC 8628, RFC 8693). */
export const grantTypes = [
  'authorization_code',
  'client_credentials',
  'refresh_token',
  'urn:ietf:params:oauth:grant-type:device_code',
  'urn:ietf:params:oauth:grant-type:token-exchange',
] as const

/** How a client proves who it is (RFC 8414 section 2, RFC 8705 section 2). */
const authenticationMethods = [
  'client_secret_basic',
  'client_secret_post',
  'private_key_jwt',
  'tls_client_auth',
  'self_signed_tls_client_auth',
  'none',
] as const

const signingAlgorithms = ['RS256', 'ES256', 'EdDSA'] as const

const identity = () => ({
  id: identifier().describe('The `client_id`.'),
  name: phrase().optional().describe('What people are shown instead of the id.'),
  uri: webUrl().optional().describe('Its home page, that people are shown.'),
  logo_uri: webUrl().optional().describe('Its logo, that people are shown.'),
  policy_uri: webUrl().optional().describe('What it says about privacy, that people are shown.'),
  tos_uri: webUrl().optional().describe('Its terms of service, that people are shown.'),
})

const credentials = (surroundings: Surroundings) => ({
  public: flag()
    .prefault(false)
    .describe('Cannot keep a secret: an app in a browser, on a phone or a desk (RFC 6749 section 2.1).'),
  auth_method: choice(authenticationMethods)
    .optional()
    .describe('The only way it may authenticate; left out, any that it has the credentials for.'),
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
  jwks: jwks()
    .optional()
    .describe(
      'Its public keys, for its assertions, request objects and self-signed certificates (RFC 7591 section 2).',
    ),
  jwks_uri: webUrl().optional().describe('Where its public keys are fetched from, instead of `jwks`.'),
})

const requests = () => ({
  grants: texts(choice(grantTypes)).prefault([]).describe('Grants that it may use.'),
  scopes: texts(scopeToken()).prefault([]).describe('Scopes that it may ask for.'),
  audience: texts(identifier()).prefault([]).describe('Ids of the resources that its tokens are for.'),
  redirect_uris: texts(redirectUri())
    .prefault([])
    .describe('Where its authorization codes may be sent; compared letter by letter.'),
  require_pkce: flag()
    .prefault(true)
    .describe('Whether it has to use PKCE (RFC 7636); only a confidential client may do without.'),
  require_pushed_requests: flag()
    .prefault(false)
    .describe('Whether it has to push its authorization requests (RFC 9126).'),
  consent: flag().prefault(true).describe('Whether people are asked what it may have.'),
})

const tokens = () => ({
  access_token_format: choice(['opaque', 'jwt'])
    .prefault('opaque')
    .describe('`jwt` is that of RFC 9068; who checks it without asking does not see that it was revoked.'),
  access_token_lifetime: duration(limits.durationsMs.accessToken)
    .optional()
    .describe('Overrides `lifetimes.access_token` for it.'),
  refresh_token_lifetime: duration(limits.durationsMs.refreshToken)
    .optional()
    .describe('Overrides `lifetimes.refresh_token` for it.'),
  require_dpop: flag().prefault(false).describe('Whether its tokens have to be bound to a DPoP key (RFC 9449).'),
  bind_certificate: flag().prefault(false).describe('Whether its tokens are bound to its certificate (RFC 8705).'),
  id_token_alg: choice(signingAlgorithms)
    .prefault('RS256')
    .describe('What its ID tokens, and access tokens that are JWTs, are signed with.'),
  subject_type: choice(['public', 'pairwise'])
    .prefault('public')
    .describe('`pairwise` gives people another `sub` here than elsewhere (OpenID Connect Core section 8).'),
  sector_identifier: hostText()
    .transform((host) => host.toLowerCase())
    .optional()
    .describe('The host that pairwise subjects are for, where it is not the one of all `redirect_uris`.'),
})

const logout = () => ({
  post_logout_redirect_uris: texts(redirectUri())
    .prefault([])
    .describe('Where people may be sent once they are signed out; compared letter by letter.'),
  backchannel_logout_uri: webUrl()
    .optional()
    .describe('Where it is told that a session ended (OpenID Connect Back-Channel Logout 1.0).'),
})

const rights = () => ({
  introspect: texts(matching('the id of a resource, or *', /^(\*|[A-Za-z0-9].*)$/))
    .prefault([])
    .describe('Ids of the resources whose tokens it may introspect; `*` for all.'),
  audit: flag().prefault(false).describe('Whether it may read the audit journal.'),
  admin: flag().prefault(false).describe('Whether it may revoke anything and rotate keys.'),
})

const client = (surroundings: Surroundings) =>
  map({
    ...identity(),
    ...credentials(surroundings),
    ...requests(),
    ...tokens(),
    ...logout(),
    ...rights(),
  }).transform((given) => {
    const { auth_method, access_token_lifetime, refresh_token_lifetime, id_token_alg, ...most } = given
    const { subject_type, sector_identifier, ...rest } = most
    return {
      ...asProperties(rest),
      authenticationMethod: auth_method,
      accessTokenLifetimeMs: access_token_lifetime,
      refreshTokenLifetimeMs: refresh_token_lifetime,
      idTokenAlgorithm: id_token_alg,
      pairwiseSector: subject_type === 'pairwise' ? (sector_identifier ?? sectorOf(given.redirect_uris)) : undefined,
    }
  })

export const clients = (surroundings: Surroundings) =>
  list(client(surroundings)).prefault([]).describe('Clients: who asks for tokens, and who asks about them.')
