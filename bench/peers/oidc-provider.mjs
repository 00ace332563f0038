// The npm package oidc-provider as peer: opaque tokens, client credentials, introspection and revocation on Redis, and
// nothing else switched on. node oidc-provider.mjs REDIS_URL CLIENTS(JSON)
import { createServer } from 'node:http'
import { Redis } from 'ioredis'
import Provider from 'oidc-provider'
import { redisAdapter } from './redis-adapter.mjs'

const [redisUrl, clients] = process.argv.slice(2)
const redis = new Redis(redisUrl, { enableAutoPipelining: false })

const server = createServer()
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address()
  const provider = new Provider(`http://127.0.0.1:${port}`, {
    adapter: redisAdapter(redis),
    clients: JSON.parse(clients),
    clientAuthMethods: ['client_secret_basic'],
    scopes: ['read:reports'],
    responseTypes: [],
    routes: { token: '/oauth2/token', introspection: '/oauth2/introspect', revocation: '/oauth2/revoke' },
    ttl: { ClientCredentials: 3_600 },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true },
      revocation: { enabled: true },
      resourceIndicators: { enabled: false },
      userinfo: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
    },
  })
  server.on('request', provider.callback())
  process.send({ port })
})
process.on('disconnect', () => process.exit())
