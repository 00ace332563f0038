import { hash, randomUUID } from 'node:crypto'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { calls } from '../request.ts'
import type { Side } from '../side.ts'

const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
const jwk = await exportJWK(publicKey)
const ownJwk = await exportJWK(privateKey)

interface Made {
  header?: object
  claims?: object
}

/** A DPoP proof (RFC 9449 section 4.2), with what is given in the place of what is right. */
const proof = (side: Side, { header, claims }: Made = {}, method = 'POST', path = '/oauth2/token'): Promise<string> =>
  new SignJWT({
    jti: randomUUID(),
    htm: method,
    htu: side.issuer + path,
    iat: Math.floor(Date.now() / 1_000),
    ...claims,
  })
    .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk, ...header })
    .sign(privateKey)

const issued = (side: Side, dpop: string) =>
  side.post('/oauth2/token', { grant_type: 'client_credentials' }, 'batch', { dpop })
const withProof = (made: (side: Side) => Made) => async (side: Side) => issued(side, await proof(side, made(side)))
const now = () => Math.floor(Date.now() / 1_000)

export const proofRequests = calls({
  'a proof': withProof(() => ({})),
  garbage: (side) => issued(side, 'garbage'),
  'two proofs': async (side) => {
    const both = [await proof(side), await proof(side)]
    // node:http sends one header for each.
    return issued(side, both as unknown as string)
  },
  'a proof twice': async (side) => {
    const dpop = await proof(side)
    await issued(side, dpop)
    return issued(side, dpop)
  },
  'another htm': withProof(() => ({ claims: { htm: 'GET' } })),
  'another htu': withProof(() => ({ claims: { htu: 'https://evil.example/oauth2/token' } })),
  'htu with a query': withProof(({ issuer }) => ({ claims: { htu: `${issuer}/oauth2/token?a=b` } })),
  'no htu': withProof(() => ({ claims: { htu: undefined } })),
  'no jti': withProof(() => ({ claims: { jti: undefined } })),
  'no iat': withProof(() => ({ claims: { iat: undefined } })),
  'an iat an hour ago': withProof(() => ({ claims: { iat: now() - 3_600 } })),
  'an iat in an hour': withProof(() => ({ claims: { iat: now() + 3_600 } })),
  'another typ': withProof(() => ({ header: { typ: 'JWT' } })),
  'no jwk': withProof(() => ({ header: { jwk: undefined } })),
  'a private jwk': withProof(() => ({ header: { jwk: ownJwk } })),
  'alg=none': (side) => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const claims = { jti: randomUUID(), htm: 'POST', htu: `${side.issuer}/oauth2/token`, iat: now() }
    return issued(side, `${part({ typ: 'dpop+jwt', alg: 'none', jwk })}.${part(claims)}.`)
  },
  'a broken signature': async (side) => issued(side, `${(await proof(side)).slice(0, -8)}AAAAAAAA`),
})

const path = '/oauth2/userinfo'
const withToken =
  (authorization: string, more: Record<string, string> = {}) =>
  (side: Side) =>
    side.ask(path, { headers: { authorization, ...more } })
const ath = (token: string) => hash('sha256', token, 'base64url')

async function bound(side: Side): Promise<string> {
  const reply = await side.redeem(await side.code(), {}, { dpop: await proof(side) })
  return reply.json<{ access_token: string }>().access_token
}

export const userinfoRequests = calls({
  'an access token': async (side) => withToken(`Bearer ${(await side.tokens()).access_token}`)(side),
  'an access token, posted': async (side) => side.post(path, { access_token: (await side.tokens()).access_token }),
  'no token': (side) => side.ask(path),
  garbage: withToken('Bearer garbage'),
  'another scheme': (side) => side.ask(path, { headers: side.basic('site') }),
  'Bearer without a token': withToken('Bearer'),
  'a token in the query': async (side) => side.ask(`${path}?access_token=${(await side.tokens()).access_token}`),
  'a token in two places': async (side) => {
    const { access_token: token } = await side.tokens()
    return side.post(path, { access_token: token }, undefined, { authorization: `Bearer ${token}` })
  },
  'a refresh token': async (side) => withToken(`Bearer ${(await side.tokens()).refresh_token}`)(side),
  'an access token without openid': async (side) =>
    withToken(`Bearer ${(await side.tokens({ scope: 'read:reports' })).access_token}`)(side),
  'an access token of a machine': async (side) => withToken(`Bearer ${await side.machineToken()}`)(side),
  'a revoked access token': async (side) => {
    const { access_token: token } = await side.tokens()
    await side.post('/oauth2/revoke', { client_id: 'web', token })
    return withToken(`Bearer ${token}`)(side)
  },
  'a bound token as Bearer': async (side) => withToken(`Bearer ${await bound(side)}`)(side),
  'a bound token without a proof': async (side) => withToken(`DPoP ${await bound(side)}`)(side),
  'a bound token with a proof': async (side) => {
    const token = await bound(side)
    const dpop = await proof(side, { claims: { ath: ath(token) } }, 'GET', path)
    return withToken(`DPoP ${token}`, { dpop })(side)
  },
  'a bound token with a proof without ath': async (side) =>
    withToken(`DPoP ${await bound(side)}`, { dpop: await proof(side, {}, 'GET', path) })(side),
  'a bound token with a proof for another': async (side) => {
    const dpop = await proof(side, { claims: { ath: ath('another') } }, 'GET', path)
    return withToken(`DPoP ${await bound(side)}`, { dpop })(side)
  },
  'a bearer token as DPoP': async (side) => {
    const { access_token: token } = await side.tokens()
    const dpop = await proof(side, { claims: { ath: ath(token) } }, 'GET', path)
    return withToken(`DPoP ${token}`, { dpop })(side)
  },
  PUT: (side) => side.ask(path, { method: 'PUT' }),
})
