import { randomBytes } from 'node:crypto'

export const redirectUri = 'http://127.0.0.1:3999/cb'
export const secondRedirectUri = 'https://app.example/other'
export const postLogoutRedirectUri = 'https://app.example/bye'
export const audience = 'https://reports.example'
/** Known to both servers, and not for these clients. */
export const foreignAudience = 'https://mail.example'
export const authorizationCodeSeconds = 5

export const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code'
const personScopes = ['openid', 'profile', 'email', 'offline_access', 'read:reports']
const ofPersons = { grants: ['authorization_code', 'refresh_token'], scopes: personScopes, audience: true }

interface Settings {
  public?: boolean
  redirectUris?: string[]
  postLogoutRedirectUris?: string[]
  grants: string[]
  scopes: string[]
  audience?: boolean
  introspects?: boolean
  withoutPkce?: boolean
}

/** The clients, as both servers know them. */
export const clients = {
  web: { ...ofPersons, public: true, redirectUris: [redirectUri], postLogoutRedirectUris: [postLogoutRedirectUri] },
  phone: { ...ofPersons, public: true, redirectUris: [redirectUri, secondRedirectUri] },
  site: { ...ofPersons, redirectUris: [redirectUri] },
  legacy: { ...ofPersons, redirectUris: [redirectUri], withoutPkce: true },
  tv: { public: true, grants: [deviceGrant, 'refresh_token'], scopes: personScopes, audience: true },
  radio: { public: true, grants: [deviceGrant, 'refresh_token'], scopes: personScopes, audience: true },
  batch: { grants: ['client_credentials'], scopes: ['read:reports'], audience: true },
  'reports-api': { grants: [], scopes: [], introspects: true },
} satisfies Record<string, Settings>

export type ClientName = keyof typeof clients
const named = Object.entries(clients) as [ClientName, Settings][]
/** `startEmbedded` has these two of its own. */
const builtIn: readonly ClientName[] = ['batch', 'reports-api']

export type Secrets = Readonly<Partial<Record<ClientName, string>>>

/** Secrets for the confidential clients; those that are given are kept. */
export const makeSecrets = (given: Secrets = {}): Secrets =>
  Object.fromEntries(
    named.flatMap(([id, { public: isPublic }]) =>
      isPublic ? [] : [[id, given[id] ?? randomBytes(24).toString('base64url')]],
    ),
  )

/** The clients as lines of `countersign.yaml`. YAML reads JSON. */
export const countersignClients = (secrets: Secrets): string[] =>
  named
    .filter(([id]) => !builtIn.includes(id))
    .map(([id, { public: isPublic, redirectUris, postLogoutRedirectUris, grants, scopes, withoutPkce }]) =>
      JSON.stringify({
        id,
        ...(isPublic ? { public: true } : { secret: secrets[id] }),
        redirect_uris: redirectUris ?? [],
        post_logout_redirect_uris: postLogoutRedirectUris ?? [],
        grants,
        scopes,
        audience: ['reports'],
        consent: false,
        ...(withoutPkce && { require_pkce: false }),
      }),
    )

/** What `peer.mjs` is given. */
export const peerSettings = (secrets: Secrets) => ({
  audience,
  audienceOf: named.filter(([, client]) => client.audience).map(([id]) => id),
  introspectors: named.filter(([, client]) => client.introspects).map(([id]) => id),
  withoutPkce: named.filter(([, client]) => client.withoutPkce).map(([id]) => id),
  authorizationCodeSeconds,
  clients: named.map(([id, { public: isPublic, redirectUris, postLogoutRedirectUris, grants, scopes }]) => ({
    client_id: id,
    ...(isPublic ? { application_type: 'native', token_endpoint_auth_method: 'none' } : { client_secret: secrets[id] }),
    redirect_uris: redirectUris ?? [],
    post_logout_redirect_uris: postLogoutRedirectUris ?? [],
    response_modes: ['query', 'form_post'],
    // It will not have a client without any.
    grant_types: grants.length > 0 ? grants : ['refresh_token'],
    response_types: grants.includes('authorization_code') ? ['code'] : [],
    ...(scopes.length > 0 && { scope: scopes.join(' ') }),
  })),
})
