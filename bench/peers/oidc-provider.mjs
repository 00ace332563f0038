// The npm package oidc-provider as peer, on Redis: opaque tokens, client credentials, introspection and revocation, and
// nothing else switched on; with FLOWS the authorization code flow instead. People are whoever the sign-in page is told
// they are. node oidc-provider.mjs REDIS_URL CLIENTS(JSON) [FLOWS(JSON: {resource})]
import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import { Redis } from 'ioredis'
import Provider from 'oidc-provider'
import { redisAdapter } from './redis-adapter.mjs'

const [redisUrl, clients, flows] = process.argv.slice(2)
const redis = new Redis(redisUrl, { enableAutoPipelining: false })

const off = { enabled: false }
const on = { enabled: true }
const unused = { devInteractions: off, rpInitiatedLogout: off, dPoP: off, pushedAuthorizationRequests: off }

const machines = {
  scopes: ['read:reports'],
  responseTypes: [],
  ttl: { ClientCredentials: 3_600 },
  features: {
    ...unused,
    clientCredentials: on,
    introspection: on,
    revocation: on,
    resourceIndicators: off,
    userinfo: off,
  },
}

/** As Countersign has it: ES256, rotation always, a refresh token with every code, the same lifetimes. */
const people = ({ resource }) => ({
  scopes: ['openid'],
  responseTypes: ['code'],
  jwks: {
    keys: [{ ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }), use: 'sig' }],
  },
  pkce: { required: () => true },
  rotateRefreshToken: true,
  issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
  findAccount: (_ctx, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
  ttl: {
    ...{ AccessToken: 300, AuthorizationCode: 60, IdToken: 300, Interaction: 1_800 },
    ...{ RefreshToken: 2_592_000, Grant: 2_592_000, Session: 43_200 },
  },
  features: {
    ...unused,
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: () => ({ scope: 'read:reports', audience: resource, accessTokenFormat: 'opaque' }),
      useGrantedResource: () => true,
    },
  },
})

/** Two pages, without anything around their forms. */
function interactions(provider, resource) {
  const form = (fields) => `<form action="" method="post">${fields}</form>`
  const read = async (request) => {
    let text = ''
    for await (const chunk of request) text += chunk
    return new URLSearchParams(text)
  }
  async function consent({ params, session }) {
    const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id })
    grant.addOIDCScope('openid')
    grant.addResourceScope(resource, 'read:reports')
    return { consent: { grantId: await grant.save() } }
  }
  return async (request, response) => {
    const details = await provider.interactionDetails(request, response)
    const isLogin = details.prompt.name === 'login'
    if (request.method !== 'POST') {
      const fields = isLogin ? '<input name="login_name"><input name="password">' : ''
      return void response.writeHead(200, { 'content-type': 'text/html' }).end(form(fields))
    }
    const filled = await read(request)
    const result = isLogin ? { login: { accountId: filled.get('login_name') } } : await consent(details)
    await provider.interactionFinished(request, response, result)
  }
}

const server = createServer()
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address()
  const settings = flows ? people(JSON.parse(flows)) : machines
  const provider = new Provider(`http://127.0.0.1:${port}`, {
    adapter: redisAdapter(redis),
    clients: JSON.parse(clients),
    clientAuthMethods: ['client_secret_basic'],
    routes: {
      authorization: '/oauth2/authorize',
      token: '/oauth2/token',
      jwks: '/oauth2/jwks',
      introspection: '/oauth2/introspect',
      revocation: '/oauth2/revoke',
    },
    ...settings,
  })
  const handle = provider.callback()
  const interact = flows && interactions(provider, JSON.parse(flows).resource)
  server.on('request', (request, response) => {
    if (!interact || !request.url.startsWith('/interaction/')) return handle(request, response)
    interact(request, response).catch((error) => response.writeHead(500).end(String(error)))
  })
  process.send({ port })
})
process.on('disconnect', () => process.exit())
