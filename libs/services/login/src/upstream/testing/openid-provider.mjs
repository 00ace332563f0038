// The npm package oidc-provider as somebody else's provider: node openid-provider.mjs SETTINGS(JSON). It says its issuer on
// standard output. Whoever posts a name to its sign-in page is that person.
import { createServer } from 'node:http'
import Provider, { interactionPolicy } from 'oidc-provider'

const { clientId, clientSecret, redirectUris, returnUris = [], claims, path = '' } = JSON.parse(process.argv[2])
const server = createServer()
await new Promise((listening) => server.listen(0, '127.0.0.1', listening))
const origin = `http://127.0.0.1:${server.address().port}`

const policy = interactionPolicy.base()
// Consent is given as soon as somebody signs in.
policy.get('consent').checks.remove('native_client_prompt')
const scopes = ['openid', 'profile', 'email', 'groups']

const provider = new Provider(`${origin}${path}`, {
  clients: [
    {
      client_id: clientId,
      client_secret: clientSecret,
      redirect_uris: redirectUris,
      post_logout_redirect_uris: returnUris,
    },
  ],
  scopes,
  claims: { openid: ['sub'], profile: ['name'], email: ['email', 'email_verified'], groups: ['groups'] },
  cookies: { keys: ['a key of the tests alone'] },
  findAccount: (_, accountId) => ({
    accountId,
    claims: () => ({ email: `${accountId}@example.org`, email_verified: true, ...claims, sub: accountId }),
  }),
  interactions: { policy, url: (_, { uid }) => `${path}/interaction/${uid}` },
  pkce: { required: () => true },
  features: { devInteractions: { enabled: false } },
})

async function grantOf({ params, session }) {
  const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id })
  grant.addOIDCScope(scopes.join(' '))
  return grant.save()
}

async function interact(request, response) {
  const details = await provider.interactionDetails(request, response)
  if (details.prompt.name === 'consent') {
    const consent = { grantId: await grantOf(details) }
    return provider.interactionFinished(request, response, { consent }, { mergeWithLastSubmission: true })
  }
  if (request.method === 'POST') {
    const name = new URLSearchParams(Buffer.concat(await request.toArray()).toString()).get('name')
    return provider.interactionFinished(request, response, { login: { accountId: name } })
  }
  response
    .writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
    .end(
      `<!doctype html><title>Provider</title><form method="post"><label>Name <input name="name"></label><button>Sign in</button></form>`,
    )
}

const callback = provider.callback()
server.on('request', (request, response) => {
  const handle = () => {
    if (!request.url.startsWith(`${path}/interaction/`)) {
      request.originalUrl = request.url
      request.url = request.url.slice(path.length) || '/'
      return callback(request, response)
    }
    return interact(request, response)
  }
  Promise.resolve()
    .then(handle)
    .catch((thrown) => response.writeHead(500).end(String(thrown?.message)))
})
// Whoever started it may be killed.
process.stdin.resume().once('end', () => process.exit())
process.stdout.write(`${provider.issuer}\n`)
