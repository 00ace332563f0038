import { describe, expect, test } from '@jest/globals'
import type { IntrospectResponse } from '@countersign/contracts/introspection'
import { createVerifier } from './create.ts'
import { requireScope, requireToken, type ProtectedRequest, type RequireTokenOptions } from './express.ts'
import { setting } from './testing/setting.ts'
import type { Token, Verifier } from './types.ts'

/** A verifier whose answers are kept. */
function watched() {
  const made = setting()
  made.upstream.stream.prove()
  return made
}

/** What a protected service answers to this Authorization header. */
async function ask(
  verifier: Verifier,
  authorization: string | undefined,
  options?: RequireTokenOptions,
  scope = 'read:reports',
) {
  const request: ProtectedRequest = { headers: { authorization } }
  const answer = { status: 200, challenge: undefined as string | undefined, error: undefined as string | undefined }
  return await new Promise<typeof answer>((resolve, reject) => {
    const response = {
      status: (code: number) => ((answer.status = code), response),
      setHeader: (name: string, value: string) => name === 'WWW-Authenticate' && (answer.challenge = value),
      json: (body: unknown) => resolve({ ...answer, error: (body as { error: string }).error }),
    }
    const done = (error?: unknown) => (error === undefined ? resolve(answer) : reject(error as Error))
    requireToken(verifier, options)(request, response, (error) =>
      error === undefined ? requireScope(scope)(request, response, done) : done(error),
    )
  })
}

const bound = (jkt: string, x5tS256: string): Partial<IntrospectResponse> => ({ cnf: { jkt, x5tS256 } })

describe('a verification', () => {
  test('tells what a token is bound to, and who acts', async () => {
    const { verifier, issue } = watched()
    const told = async (claims: Parameters<typeof issue>[1]) => {
      const verification = await verifier.verify(issue(`token${Math.random()}`.slice(0, 20), claims))
      return verification.ok && { confirmation: verification.token.confirmation, actors: verification.token.actors }
    }
    expect(await told({})).toEqual({ confirmation: undefined, actors: [] })
    const bound = await told({ cnf: { jkt: 'thumb', x5tS256: '' }, actors: ['second', 'first'] })
    expect(bound).toEqual({ confirmation: { jkt: 'thumb' }, actors: ['second', 'first'] })
    expect(await told({ cnf: { jkt: '', x5tS256: 'c' } })).toEqual({ confirmation: { x5tS256: 'c' }, actors: [] })
    expect(await told({ cnf: { jkt: '', x5tS256: '' } })).toEqual({ confirmation: undefined, actors: [] })
  })

  test.each([
    { kind: 'token', id: 'what it was exchanged from' },
    { kind: 'client', id: 'whose token that was' },
  ] as const)('forgets an answer when a further fact ends it: $id', async (fact) => {
    const { verifier, upstream, issue, asked } = watched()
    const revokedBy = { partition: 0, grantId: 'g', sessionId: '', subject: '', also: [{ ...fact, tip: '' }] }
    const token = issue('ann', { revokedBy })
    await verifier.verify(token)
    expect(await verifier.verify(token)).toMatchObject({ ok: true })
    expect(asked()).toHaveLength(1)
    upstream.tokens.delete(token)
    upstream.stream.push({ ...fact, id: 'another' })
    expect(await verifier.verify(token)).toMatchObject({ ok: true })
    upstream.stream.push(fact)
    expect(await verifier.verify(token)).toMatchObject({ ok: false })
  })
})

describe('a service that checks no proofs', () => {
  test('refuses a token that is bound to a DPoP key, with a DPoP challenge', async () => {
    const { verifier, issue } = watched()
    for (const cnf of [bound('thumb', ''), bound('thumb', 'certificate')]) {
      expect(await ask(verifier, `Bearer ${issue('ann', cnf)}`)).toEqual({
        status: 401,
        challenge:
          'DPoP realm="api", error="invalid_token", error_description="tokens that are bound to something are not taken here"',
        error: 'invalid_token',
      })
    }
    expect(await ask(verifier, `DPoP ${issue('ann', bound('thumb', ''))}`)).toMatchObject({
      status: 401,
      challenge: 'Bearer realm="api"',
    })
  })

  test('refuses a token that is bound to a certificate, with a Bearer challenge', async () => {
    const { verifier, issue } = watched()
    const { status, challenge } = await ask(verifier, `Bearer ${issue('ann', bound('', 'certificate'))}`)
    expect(status).toBe(401)
    expect(challenge).toMatch(/^Bearer realm="api", error="invalid_token"/)
  })
})

describe('a service that checks proofs', () => {
  const asked: Token[] = []
  const proof = (isGood: boolean): RequireTokenOptions => ({
    proof: { check: async (_request, token) => (asked.push(token), isGood), algorithms: ['ES256', 'EdDSA'] },
  })

  test('takes a bound token with a good proof, and refuses it with another', async () => {
    const { verifier, issue } = watched()
    const [dpop, certified] = [issue('ann', bound('thumb', '')), issue('ben', bound('', 'certificate'))]
    expect(await ask(verifier, `DPoP ${dpop}`, proof(true))).toMatchObject({ status: 200 })
    expect(await ask(verifier, `dpop ${dpop}`, proof(true))).toMatchObject({ status: 200 })
    expect(await ask(verifier, `Bearer ${certified}`, proof(true))).toMatchObject({ status: 200 })
    expect(asked.map(({ confirmation }) => confirmation?.jkt ?? confirmation?.x5tS256)).toEqual([
      'thumb',
      'thumb',
      'certificate',
    ])
    const refused = await ask(verifier, `DPoP ${dpop}`, proof(false))
    expect(refused).toMatchObject({ status: 401, error: 'invalid_dpop_proof' })
    expect(refused.challenge).toMatch(/^DPoP realm="api", error="invalid_dpop_proof", .*algs="ES256 EdDSA"$/)
    const other = await ask(verifier, `Bearer ${certified}`, proof(false))
    expect(other).toMatchObject({ status: 401, error: 'invalid_token' })
    expect(other.challenge).toMatch(/^Bearer /)
  })

  test('asks for no proof where a token is presented as what it is not, and refuses it', async () => {
    const { verifier, issue } = watched()
    const before = asked.length
    const downgraded = await ask(verifier, `Bearer ${issue('ann', bound('thumb', ''))}`, proof(true))
    expect(downgraded).toMatchObject({ status: 401, error: 'invalid_token' })
    expect(downgraded.challenge).toMatch(/^DPoP /)
    const unbound = await ask(verifier, `DPoP ${issue('ben')}`, proof(true))
    expect(unbound).toMatchObject({ status: 401, error: 'invalid_token' })
    expect(unbound.challenge).toMatch(/^Bearer /)
    expect(asked).toHaveLength(before)
    expect(await ask(verifier, `Bearer ${issue('ben')}`, proof(true))).toMatchObject({ status: 200 })
  })

  test('tells who brings no token of both ways, and names the scheme in whatever it refuses', async () => {
    const { verifier, issue } = watched()
    const both = 'Bearer realm="api", DPoP realm="api", algs="ES256 EdDSA"'
    expect(await ask(verifier, undefined, proof(true))).toMatchObject({ status: 401, challenge: both })
    expect((await ask(verifier, 'DPoP a b', proof(true))).status).toBe(400)
    expect((await ask(verifier, 'DPoP unknown', proof(true))).challenge).toMatch(/^DPoP .*error="invalid_token"/)
    const beyond = await ask(verifier, `DPoP ${issue('ann', bound('thumb', ''))}`, proof(true), 'admin')
    expect(beyond.status).toBe(403)
    expect(beyond.challenge).toMatch(/^DPoP error="insufficient_scope"/)
  })

  test('hands what the check throws on', async () => {
    const { verifier, issue } = watched()
    const check = () => Promise.reject(new TypeError('a mistake'))
    const token = issue('ann', bound('thumb', ''))
    await expect(ask(verifier, `DPoP ${token}`, { proof: { check } })).rejects.toThrow('a mistake')
  })

  test('lets everybody through while authentication is off', async () => {
    const open = createVerifier({ log: { info: () => undefined, warn: () => undefined } })
    for (const authorization of [undefined, 'DPoP x', 'Bearer x']) {
      expect(await ask(open, authorization, proof(false))).toMatchObject({ status: 200 })
    }
  })
})
