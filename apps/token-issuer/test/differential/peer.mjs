// The npm package oidc-provider, configured as Countersign is for the differential test; its sign-in page asks for nothing
// but a click. node peer.mjs PORT SETTINGS(JSON)
import { createServer } from 'node:http'
import Provider, { errors, interactionPolicy } from 'oidc-provider'

const [port, text] = process.argv.slice(2)
const { clients, audience, audienceOf, introspectors, withoutPkce, authorizationCodeSeconds } = JSON.parse(text)
// Consent is not asked for again, as with `consent: false`.
const policy = interactionPolicy.base()
policy.get('consent').checks.remove('native_client_prompt')
const scopes = ['openid', 'profile', 'email', 'offline_access', 'read:reports']

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients,
  scopes,
  claims: { openid: ['sub'], profile: ['name'], email: ['email'] },
  cookies: { keys: ['a key of the test alone'], long: { sameSite: 'none' } },
  enableHttpPostMethods: true,
  findAccount: (_, accountId) => ({
    accountId,
    claims: () => ({ sub: accountId, name: 'Alice', email: 'alice@example.org' }),
  }),
  interactions: { policy, url: (_, { uid }) => `/interaction/${uid}` },
  issueRefreshToken: (_, client) => client.grantTypeAllowed('refresh_token'),
  rotateRefreshToken: true,
  expiresWithSession: () => false,
  pkce: { required: (_, client) => !withoutPkce.includes(client.clientId) },
  ttl: { AuthorizationCode: authorizationCodeSeconds },
  features: {
    devInteractions: { enabled: false },
    claimsParameter: { enabled: true },
    clientCredentials: { enabled: true },
    deviceFlow: { enabled: true },
    introspection: { enabled: true, allowedPolicy: (_, client) => introspectors.includes(client.clientId) },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: (_ctx, _client, oneOf) => oneOf,
      useGrantedResource: () => true,
      getResourceServerInfo(_, resource, client) {
        if (resource !== audience || !audienceOf.includes(client.clientId)) throw new errors.InvalidTarget()
        return { scope: 'read:reports', audience, accessTokenFormat: 'opaque' }
      },
    },
  },
  routes: {
    authorization: '/oauth2/authorize',
    code_verification: '/device',
    device_authorization: '/oauth2/device_authorization',
    end_session: '/oauth2/logout',
    introspection: '/oauth2/introspect',
    jwks: '/oauth2/jwks',
    pushed_authorization_request: '/oauth2/par',
    revocation: '/oauth2/revoke',
    token: '/oauth2/token',
    userinfo: '/oauth2/userinfo',
  },
})

async function grantOf({ params, session, prompt }) {
  const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id })
  grant.addOIDCScope(scopes.join(' '))
  grant.addOIDCClaims(prompt.details.missingOIDCClaims ?? [])
  for (const resource of [params.resource ?? []].flat()) grant.addResourceScope(resource, 'read:reports')
  return grant.save()
}

async function interact(request, response) {
  const details = await provider.interactionDetails(request, response)
  const isLogin = details.prompt.name === 'login'
  if (request.method !== 'POST') {
    const field = `<input type="${isLogin ? 'password' : 'hidden'}" name="${isLogin ? 'password' : 'decision'}">`
    return void response
      .writeHead(200, { 'content-type': 'text/html' })
      .end(`<form action="${request.url}" method="post">${field}</form>`)
  }
  const result = isLogin ? { login: { accountId: 'alice' } } : { consent: { grantId: await grantOf(details) } }
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: true })
}

const callback = provider.callback()
createServer((request, response) => {
  if (!request.url.startsWith('/interaction/')) return callback(request, response)
  interact(request, response).catch((thrown) => response.writeHead(500).end(String(thrown?.stack)))
}).listen(Number(port), '127.0.0.1')
