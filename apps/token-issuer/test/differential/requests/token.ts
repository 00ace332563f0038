import { setTimeout as sleep } from 'node:timers/promises'
import { basic } from '@countersign/servers'
import { calls } from '../request.ts'
import { audience, authorizationCodeSeconds, foreignAudience, redirectUri, secondRedirectUri } from '../settings.ts'
import { encoded, redemption, verifier, type Parameters, type Side } from '../side.ts'

const path = '/oauth2/token'
const machine = { grant_type: 'client_credentials' }
const withHeader = (authorization: string) => (side: Side) => side.post(path, machine, undefined, { authorization })
const asBatch = (parameters: Parameters) => (side: Side) => side.post(path, parameters, 'batch')
const inBody = (side: Side) => ({ client_id: 'batch', client_secret: side.secret('batch') })

export const authenticationRequests = calls({
  GET: (side) => side.ask(path, { headers: side.basic('batch') }),
  'a JSON body': (side) => side.post(path, JSON.stringify(machine), 'batch', { 'content-type': 'application/json' }),
  'no body': (side) => side.ask(path, { method: 'POST', headers: side.basic('batch') }),
  'credentials in the query': (side) => side.post(`${path}?${new URLSearchParams(inBody(side))}`, machine),
  'parameters in the query': (side) =>
    side.ask(`${path}?grant_type=client_credentials`, { method: 'POST', headers: side.basic('batch') }),
  'credentials in the body': (side) => side.post(path, { ...machine, ...inBody(side) }),
  'nobody’s': (side) => side.post(path, machine),
  'a confidential client that only names itself': (side) => side.post(path, { ...machine, client_id: 'batch' }),
  'a wrong secret': withHeader(basic('batch', 'wrong')),
  'a wrong secret in the body': (side) => side.post(path, { ...machine, client_id: 'batch', client_secret: 'wrong' }),
  'an unknown client': withHeader(basic('nobody', 'secret')),
  'an unknown client in the body': (side) => side.post(path, { ...machine, client_id: 'nobody' }),
  'an empty secret': withHeader(basic('batch', '')),
  'Basic that is no base64': withHeader('Basic !!!'),
  'Basic without a colon': withHeader(`Basic ${Buffer.from('batch').toString('base64')}`),
  'Basic with a broken percent-escape': withHeader(`Basic ${Buffer.from('batch:%zz').toString('base64')}`),
  'another scheme': withHeader('Bearer token'),
  'two ways of authentication': (side) => side.post(path, { ...machine, ...inBody(side) }, 'batch'),
  'client_id beside Basic': asBatch({ ...machine, client_id: 'batch' }),
  'another client_id beside Basic': asBatch({ ...machine, client_id: 'web' }),
  'a public client with a secret': (side) => side.post(path, { ...machine, client_id: 'web', client_secret: 'guess' }),
  'an assertion that is garbage': (side) =>
    side.post(path, { ...machine, client_assertion: 'garbage', client_assertion_type: assertionType }),
  'an assertion of an unknown type': (side) =>
    side.post(path, { ...machine, client_id: 'batch', client_assertion: 'x.y.z', client_assertion_type: 'pigeon' }),
})
const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

export const grantRequests = calls({
  client_credentials: asBatch(machine),
  'no grant_type': asBatch({ scope: 'read:reports' }),
  'an empty grant_type': asBatch({ grant_type: '' }),
  'an unknown grant_type': asBatch({ grant_type: 'magic' }),
  'grant_type=password': asBatch({ grant_type: 'password', username: 'alice', password: 'x' }),
  'grant_type=implicit': asBatch({ grant_type: 'implicit' }),
  'a grant that the client may not use': (side) =>
    side.post(path, { grant_type: 'refresh_token', refresh_token: 'x' }, 'batch'),
  'client_credentials by a public client': (side) => side.post(path, { ...machine, client_id: 'web' }),
  'a scope of its own': asBatch({ ...machine, scope: 'read:reports' }),
  'a scope that is too wide': asBatch({ ...machine, scope: 'openid' }),
  'a scope that nobody knows': asBatch({ ...machine, scope: 'nothing:like-it' }),
  'a scope with a forbidden character': asBatch({ ...machine, scope: 'read:"reports"' }),
  'a resource of its own': asBatch({ ...machine, resource: audience }),
  'a resource of others': asBatch({ ...machine, resource: foreignAudience }),
  'a resource that is no URI': asBatch({ ...machine, resource: 'reports' }),
  'grant_type twice': asBatch('grant_type=client_credentials&grant_type=client_credentials'),
  'scope twice': asBatch('grant_type=client_credentials&scope=read:reports&scope=read:reports'),
  'an unknown parameter': asBatch({ ...machine, surprise: '1' }),
  'an unknown parameter twice': asBatch('grant_type=client_credentials&surprise=1&surprise=1'),
  'a broken percent-escape': asBatch('grant_type=client_credentials&scope=%zz'),
})

const exchanged = (change: Readonly<Record<string, string | undefined>>) => async (side: Side) => {
  const all: [string, string | undefined][] = Object.entries({ ...redemption(await side.code()), ...change })
  return side.post(
    path,
    all.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
  )
}
const withCode = (code: string | undefined) => exchanged({ code })

async function reused(side: Side) {
  const code = await side.code()
  await side.redeem(code)
  return side.redeem(code)
}

/** What was given for a code ends when that is used once more. */
async function refreshedAfterReuse(side: Side) {
  const code = await side.code()
  const first = await side.redeem(code)
  await side.redeem(code)
  return side.refresh(first.json<{ refresh_token: string }>().refresh_token)
}

async function expired(side: Side) {
  const code = await side.code()
  await sleep(authorizationCodeSeconds * 1_000 + 500)
  return side.redeem(code)
}

export const codeRequests = calls({
  'a code': exchanged({}),
  'no code': withCode(undefined),
  'an empty code': withCode(''),
  'a code that is garbage': withCode('garbage'),
  'a code that was used': reused,
  'a refresh after its code was used twice': refreshedAfterReuse,
  'a code that has expired': expired,
  'a code of another client': exchanged({ client_id: 'phone' }),
  'a code of another client, which authenticates': async (side) =>
    side.post(path, { ...redemption(await side.code()), client_id: 'site' }, 'site'),
  'an access token in the place of the code': async (side) => side.redeem((await side.tokens()).access_token),
  'a wrong verifier': exchanged({ code_verifier: 'a'.repeat(43) }),
  'no verifier': exchanged({ code_verifier: undefined }),
  'a verifier that is too short': exchanged({ code_verifier: 'short' }),
  'another redirect_uri': exchanged({ redirect_uri: secondRedirectUri }),
  'no redirect_uri, where one was named': exchanged({ redirect_uri: undefined }),
  'code twice': async (side) => {
    const code = await side.code()
    return side.post(path, `${encoded(redemption(code))}&code=${code}`)
  },
  'a verifier without a challenge': async (side) => {
    const code = await side.code({ client_id: 'legacy', code_challenge: '', code_challenge_method: '' })
    return side.post(path, { ...redemption(code), client_id: 'legacy', code_verifier: verifier }, 'legacy')
  },
  'no verifier, where there was no challenge': async (side) => {
    const code = await side.code({ client_id: 'legacy', code_challenge: '', code_challenge_method: '' })
    return side.post(path, { grant_type: 'authorization_code', code, redirect_uri: redirectUri }, 'legacy')
  },
})
