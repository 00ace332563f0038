import { led } from '../outcome.ts'
import { calls, type Requests } from '../request.ts'
import { deviceGrant, foreignAudience } from '../settings.ts'
import { encoded, goodRequest, type Side } from '../side.ts'

const push = '/oauth2/par'
const pushed = (change: Readonly<Record<string, string>>) => (side: Side) =>
  side.post(push, { ...goodRequest, ...change })
const site = { ...goodRequest, client_id: 'site' }

async function uriOf(side: Side): Promise<string> {
  return (await side.post(push, goodRequest)).json<{ request_uri: string }>().request_uri
}

const withUri = (client: string, times: number) => async (side: Side) => {
  const parameters = { client_id: client, request_uri: await uriOf(side) }
  for (let n = 1; n < times; n++) {
    // A request is over once its person has been answered.
    await side.authorize(parameters, side.signedIn)
  }
  return led(await side.authorize(parameters, times > 1 ? side.signedIn : undefined), side.issuer)
}

export const pushRequests: Requests = {
  ...calls({
    'a request': pushed({}),
    'a request of a confidential client': (side) => side.post(push, site, 'site'),
    GET: (side) => side.ask(`${push}?${encoded(goodRequest)}`),
    'a JSON body': (side) =>
      side.post(push, JSON.stringify(goodRequest), undefined, { 'content-type': 'application/json' }),
    'a confidential client that only names itself': (side) => side.post(push, site),
    'an unknown client': pushed({ client_id: 'nobody' }),
    'nobody’s': (side) => side.post(push, { response_type: 'code' }),
    'a request_uri in it': pushed({ request_uri: 'urn:ietf:params:oauth:request_uri:x' }),
    'a request object': pushed({ request: 'garbage' }),
    'a redirect_uri that is not registered': pushed({ redirect_uri: 'https://evil.example/cb' }),
    'response_type=token': pushed({ response_type: 'token' }),
    'no code_challenge': pushed({ code_challenge: '', code_challenge_method: '' }),
    'a scope that nobody knows': pushed({ scope: 'openid nothing:like-it' }),
    'a resource of others': pushed({ resource: foreignAudience }),
    'prompt=none login': pushed({ prompt: 'none login' }),
    'scope twice': (side) => side.post(push, `${encoded(goodRequest)}&scope=email`),
    'a client without this grant': pushed({ client_id: 'tv' }),
  }),
  'its request_uri': withUri('web', 1),
  'its request_uri, of another client': withUri('phone', 1),
  'its request_uri, twice': withUri('web', 2),
}

const device = '/oauth2/device_authorization'
const begun = (more: Readonly<Record<string, string>>) => (side: Side) =>
  side.post(device, { client_id: 'tv', ...more })

async function deviceCode(side: Side): Promise<string> {
  return (await begun({ scope: 'openid' })(side)).json<{ device_code: string }>().device_code
}

const poll = (side: Side, code: string, client = 'tv') =>
  side.post('/oauth2/token', { grant_type: deviceGrant, client_id: client, device_code: code })

export const deviceRequests = calls({
  'a request': begun({ scope: 'openid' }),
  GET: (side) => side.ask(`${device}?client_id=tv`),
  'an unknown client': begun({ client_id: 'nobody' }),
  'nobody’s': (side) => side.post(device, { scope: 'openid' }),
  'a client without this grant': begun({ client_id: 'web' }),
  'a scope that nobody knows': begun({ scope: 'openid nothing:like-it' }),
  'a resource of others': begun({ resource: foreignAudience }),
  'scope twice': (side) => side.post(device, 'client_id=tv&scope=openid&scope=email'),
  'a poll': async (side) => poll(side, await deviceCode(side)),
  'two polls at once': async (side) => {
    const code = await deviceCode(side)
    await poll(side, code)
    return poll(side, code)
  },
  'a poll without a device_code': (side) => poll(side, ''),
  'a poll with garbage': (side) => poll(side, 'garbage'),
  'a poll by another client': async (side) => poll(side, await deviceCode(side), 'radio'),
  'a poll by a client without this grant': async (side) => poll(side, await deviceCode(side), 'web'),
})
