import { Visitor } from '@countersign/servers'
import { led, type Outcome } from '../outcome.ts'
import type { Requests } from '../request.ts'
import { audience, foreignAudience, redirectUri, secondRedirectUri } from '../settings.ts'
import { encoded, goodRequest, type Parameters, type Side } from '../side.ts'

type Change = Readonly<Record<string, string | undefined>>

/** The good request with other parameters, or without those that are undefined. */
const changed = (change: Change): Parameters =>
  Object.fromEntries(
    Object.entries({ ...goodRequest, ...change }).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value]],
    ),
  )

const sent = (parameters: Parameters) => async (side: Side) => led(await side.authorize(parameters), side.issuer)
const withChange = (change: Change) => sent(changed(change))
const withAlso = (text: string) => sent(`${encoded(goodRequest)}&${text}`)

async function posted(side: Side, contentType: string): Promise<Outcome> {
  const visitor = new Visitor(side.issuer)
  if (contentType === 'application/x-www-form-urlencoded') {
    await visitor.go('/oauth2/authorize', { ...goodRequest })
    return led(visitor, side.issuer)
  }
  const headers = { 'content-type': contentType, origin: side.issuer }
  const reply = await side.ask('/oauth2/authorize', { method: 'POST', headers, body: JSON.stringify(goodRequest) })
  return `page ${reply.status}`
}

async function whenSignedIn(side: Side, change: Change): Promise<Outcome> {
  await side.code()
  return led(await side.authorize(changed(change), side.signedIn), side.issuer)
}

const who: Requests = {
  'a good request': withChange({}),
  'the good request, posted': (side) => posted(side, 'application/x-www-form-urlencoded'),
  'JSON, posted': (side) => posted(side, 'application/json'),
  'no parameters': sent({}),
  'no client_id': withChange({ client_id: undefined }),
  'an unknown client': withChange({ client_id: 'nobody' }),
  'a client without this grant': withChange({ client_id: 'tv' }),
  'no redirect_uri, one registered': withChange({ redirect_uri: undefined }),
  'no redirect_uri, two registered': withChange({ client_id: 'phone', redirect_uri: undefined }),
  'the second redirect_uri': withChange({ client_id: 'phone', redirect_uri: secondRedirectUri }),
  'a redirect_uri that is not registered': withChange({ redirect_uri: 'https://evil.example/cb' }),
  'a redirect_uri with a longer path': withChange({ redirect_uri: `${redirectUri}/more` }),
  'a redirect_uri with a query': withChange({ redirect_uri: `${redirectUri}?more=1` }),
  'a redirect_uri with a fragment': withChange({ redirect_uri: `${redirectUri}#more` }),
  'a redirect_uri in capitals': withChange({ redirect_uri: redirectUri.replace('/cb', '/CB') }),
  'a redirect_uri with .. in it': withChange({ redirect_uri: redirectUri.replace('/cb', '/x/../cb') }),
  'a redirect_uri with a user': withChange({ redirect_uri: redirectUri.replace('127', 'user@127') }),
  'a loopback redirect_uri at another port': withChange({ redirect_uri: redirectUri.replace('3999', '4000') }),
  'a redirect_uri at localhost': withChange({ redirect_uri: redirectUri.replace('127.0.0.1', 'localhost') }),
  'a redirect_uri that is no URI': withChange({ redirect_uri: 'cb' }),
  'redirect_uri twice': withAlso(`redirect_uri=${encodeURIComponent(redirectUri)}`),
  'client_id twice': withAlso('client_id=web'),
}

const what: Requests = {
  'no response_type': withChange({ response_type: undefined }),
  'response_type=token': withChange({ response_type: 'token' }),
  'response_type=code id_token': withChange({ response_type: 'code id_token', nonce: 'n' }),
  'an unknown response_type': withChange({ response_type: 'everything' }),
  'response_type twice': withAlso('response_type=code'),
  'scope twice': withAlso('scope=email'),
  'state twice': withAlso('state=other'),
  'an unknown parameter': withAlso('surprise=1'),
  'an unknown parameter twice': withAlso('surprise=1&surprise=2'),
  'an empty parameter': withAlso('display='),
  'an empty scope': withChange({ scope: '' }),
  'no scope': withChange({ scope: undefined }),
  'a scope that nobody knows': withChange({ scope: 'openid nothing:like-it' }),
  'a scope with a forbidden character': withChange({ scope: 'openid "quoted"' }),
  'a scope without openid': withChange({ scope: 'read:reports' }),
  'a broken percent-escape': withAlso('nonce=%zz'),
  'response_mode=query': withChange({ response_mode: 'query' }),
  'response_mode=form_post': withChange({ response_mode: 'form_post' }),
  'response_mode=form_post with an error': withChange({ response_mode: 'form_post', response_type: 'token' }),
  'response_mode=fragment': withChange({ response_mode: 'fragment' }),
  'an unknown response_mode': withChange({ response_mode: 'pigeon' }),
  'a request object': withChange({ request: 'eyJhbGciOiJub25lIn0.e30.' }),
  'a request_uri': withChange({ request_uri: 'https://app.example/request.jwt' }),
  'a pushed request_uri that is unknown': withChange({ request_uri: 'urn:ietf:params:oauth:request_uri:nothing' }),
  'a resource': withChange({ resource: audience }),
  'two resources, one of them foreign': withAlso(
    `resource=${encodeURIComponent(audience)}&resource=${encodeURIComponent(foreignAudience)}`,
  ),
  'a resource of others': withChange({ resource: foreignAudience }),
  'a resource that is no URI': withChange({ resource: 'reports' }),
  registration: withChange({ registration: '{}' }),
}

const proven: Requests = {
  'no code_challenge': withChange({ code_challenge: undefined, code_challenge_method: undefined }),
  'a code_challenge_method alone': withChange({ code_challenge: undefined }),
  'no code_challenge_method': withChange({ code_challenge_method: undefined }),
  'code_challenge_method=plain': withChange({ code_challenge_method: 'plain' }),
  'an unknown code_challenge_method': withChange({ code_challenge_method: 'S512' }),
  'a code_challenge that is too short': withChange({ code_challenge: 'short' }),
  'a code_challenge that is too long': withChange({ code_challenge: 'a'.repeat(129) }),
  'no code_challenge, where it may be left out': withChange({
    client_id: 'legacy',
    code_challenge: undefined,
    code_challenge_method: undefined,
  }),
  'a dpop_jkt that is no thumbprint': withChange({ dpop_jkt: 'short' }),
}

const asked: Requests = {
  'prompt=none, not signed in': withChange({ prompt: 'none' }),
  'prompt=none, signed in': (side) => whenSignedIn(side, { prompt: 'none' }),
  'signed in': (side) => whenSignedIn(side, {}),
  'prompt=login, signed in': (side) => whenSignedIn(side, { prompt: 'login' }),
  'prompt=none login': withChange({ prompt: 'none login' }),
  'an unknown prompt': withChange({ prompt: 'dance' }),
  'max_age=0, signed in, prompt=none': (side) => whenSignedIn(side, { max_age: '0', prompt: 'none' }),
  'max_age=-1': withChange({ max_age: '-1' }),
  'max_age=soon': withChange({ max_age: 'soon' }),
  'claims that are no JSON': withChange({ claims: '{' }),
  'claims that are an array': withChange({ claims: '[]' }),
  'claims whose userinfo is a string': withChange({ claims: '{"userinfo":"all"}' }),
  'claims whose id_token has a number': withChange({ claims: '{"id_token":{"email":1}}' }),
  'an id_token_hint that is no JWT': withChange({ id_token_hint: 'garbage' }),
  'an id_token_hint that others signed': withChange({ id_token_hint: 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9.' }),
  'an unknown display': withChange({ display: 'hologram' }),
}

export const authorizeRequests: Requests = { ...who, ...what, ...proven, ...asked }
