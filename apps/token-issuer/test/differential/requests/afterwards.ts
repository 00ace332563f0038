import { led } from '../outcome.ts'
import { calls, type Requests } from '../request.ts'
import { audience, postLogoutRedirectUri } from '../settings.ts'
import type { ClientName } from '../settings.ts'
import type { Side } from '../side.ts'

const introspect = '/oauth2/introspect'
const asked =
  (token: (side: Side) => Promise<string>, more: Readonly<Record<string, string>> = {}, client?: ClientName) =>
  async (side: Side) =>
    side.post(introspect, { token: await token(side), ...more }, client ?? 'reports-api')

const ofMachine = async (side: Side) => {
  const form = { grant_type: 'client_credentials', resource: audience }
  return (await side.post('/oauth2/token', form, 'batch')).json<{ access_token: string }>().access_token
}
const garbage = async () => 'garbage'

export const introspectionRequests = calls({
  'an access token': asked(ofMachine),
  'an access token with the hint refresh_token': asked(ofMachine, { token_type_hint: 'refresh_token' }),
  'an unknown hint': asked(ofMachine, { token_type_hint: 'pigeon' }),
  garbage: asked(garbage),
  'no token': asked(async () => ''),
  'token twice': (side) => side.post(introspect, 'token=a&token=a', 'reports-api'),
  'a revoked access token': async (side) => {
    const token = await ofMachine(side)
    await side.post('/oauth2/revoke', { token }, 'batch')
    return side.post(introspect, { token }, 'reports-api')
  },
  'a token that is not for who asks': asked(async (side) => (await side.tokens()).access_token, {}, 'site'),
  GET: (side) => side.ask(`${introspect}?token=garbage`, { headers: side.basic('reports-api') }),
  'a JSON body': (side) =>
    side.post(introspect, '{"token":"garbage"}', 'reports-api', { 'content-type': 'application/json' }),
  'nobody’s': (side) => side.post(introspect, { token: 'garbage' }),
  'an unknown client': (side) => side.post(introspect, { token: 'garbage', client_id: 'nobody', client_secret: 'x' }),
  'a wrong secret': (side) => side.post(introspect, { token: 'garbage', client_id: 'reports-api', client_secret: 'x' }),
  'a public client': (side) => side.post(introspect, { token: 'garbage', client_id: 'web' }),
})

const revoke = '/oauth2/revoke'
const revoked = (form: Readonly<Record<string, string>>) => (side: Side) =>
  side.post(revoke, { client_id: 'web', ...form })

export const revocationRequests = calls({
  'a refresh token': async (side) => revoked({ token: (await side.tokens()).refresh_token })(side),
  'an access token': async (side) => side.post(revoke, { token: await ofMachine(side) }, 'batch'),
  'an access token twice': async (side) => {
    const token = await ofMachine(side)
    await side.post(revoke, { token }, 'batch')
    return side.post(revoke, { token }, 'batch')
  },
  garbage: revoked({ token: 'garbage' }),
  'a wrong hint': async (side) =>
    revoked({ token: (await side.tokens()).refresh_token, token_type_hint: 'access_token' })(side),
  'an unknown hint': revoked({ token: 'garbage', token_type_hint: 'pigeon' }),
  'no token': revoked({}),
  'token twice': (side) => side.post(revoke, 'client_id=web&token=a&token=a'),
  'another client’s token, by a public client': async (side) =>
    revoked({ token: (await side.tokens()).refresh_token, client_id: 'phone' })(side),
  'another client’s token, by a confidential client': async (side) =>
    side.post(revoke, { token: (await side.tokens()).refresh_token }, 'site'),
  'a refresh after another client tried to revoke it': async (side) => {
    const { refresh_token: token } = await side.tokens()
    await side.post(revoke, { token }, 'site')
    return side.refresh(token)
  },
  GET: (side) => side.ask(`${revoke}?client_id=web&token=garbage`),
  'a JSON body': (side) => side.post(revoke, '{"token":"x"}', 'site', { 'content-type': 'application/json' }),
  'nobody’s': (side) => side.post(revoke, { token: 'garbage' }),
  'an unknown client': revoked({ token: 'garbage', client_id: 'nobody' }),
  'a wrong secret': (side) => side.post(revoke, { token: 'garbage', client_id: 'site', client_secret: 'wrong' }),
})

const logout =
  (query: string): Requests[string] =>
  async (side) => {
    const { signedIn: visitor } = side
    await side.code()
    await visitor.go(`${side.issuer}/oauth2/logout?${query}`)
    return led(visitor, side.issuer)
  }
const bye = `post_logout_redirect_uri=${encodeURIComponent(postLogoutRedirectUri)}`

export const logoutRequests: Requests = {
  'no parameters': logout(''),
  'a client_id and its URI': logout(`client_id=web&${bye}`),
  'a URI alone': logout(bye),
  'a URI that is not registered': logout('client_id=web&post_logout_redirect_uri=https://evil.example/'),
  'an unknown client': logout('client_id=nobody'),
  'an id_token_hint that is garbage': logout('id_token_hint=garbage'),
  'an id_token_hint, and another client_id': async (side) => {
    const { id_token: hint } = await side.tokens()
    return logout(`id_token_hint=${hint}&client_id=phone`)(side)
  },
  'client_id twice': logout('client_id=web&client_id=web'),
}

const published = ['/oauth2/jwks', '/.well-known/openid-configuration', '/.well-known/oauth-authorization-server']

export const documentRequests = calls(
  Object.fromEntries(
    published.flatMap((path) => [
      [`GET ${path}`, (side: Side) => side.ask(path)],
      [`POST ${path}`, (side: Side) => side.post(path, {})],
    ]),
  ),
)
