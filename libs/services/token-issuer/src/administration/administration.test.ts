import { beforeEach, describe, expect, test } from '@jest/globals'
import { execFileSync } from 'node:child_process'
import { randomBytes, X509Certificate } from 'node:crypto'
import type { PeerCertificate } from 'node:tls'
import { ActorKind } from '@countersign/contracts/events'
import type { RevokeRequest } from '@countersign/contracts/administration'
import {
  AuthorizationRecord,
  ClientRecord,
  SubjectRecord,
  TokenKind,
  TokenRecord,
  type GrantRecord,
} from '@countersign/contracts/records'
import {
  addCode,
  clientKey,
  createClientAuthentication,
  createTokenFormat,
  grantOf,
  grantRecord,
  grantPut,
  jwtIdOf,
  linksOf,
  redeemCode,
  createRecordReader,
  subjectKey,
  tagKeyFrom,
  tokenKey,
  tokenRecord,
} from '@countersign/tokens'
import type { BrowserSession } from '../authorization/state.ts'
import { issuer, secrets, World } from '../logout/testing/world.ts'
import { administrationCalls, type AdministrationCalls } from './administration.ts'
import type { CallContext } from './callers.ts'

const secret = (text: string) => ({ reveal: () => text })
const definitions = [
  { id: 'operator', secret: secret('s'), admin: true },
  { id: 'certified', admin: true, tlsClientAuthSubjectDn: 'CN=certified' },
  { id: 'batch', secret: secret('s') },
  { id: 'web', public: true, grants: ['authorization_code', 'refresh_token'] },
]
const traceparent = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`
const format = createTokenFormat(tagKeyFrom(randomBytes(32)))
const everybody = { blockedSeconds: () => undefined, fail: () => undefined }

const certificateOf = (name: string) => {
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', '/dev/null']
  const pem = execFileSync('openssl', ['req', '-x509', ...curve, '-subj', `/CN=${name}`], { stdio: 'pipe' })
  return { raw: new X509Certificate(pem).raw } as unknown as PeerCertificate
}

let world: World
let calls: AdministrationCalls
let browser: BrowserSession

beforeEach(async () => {
  world = await new World(definitions, 3).open()
  const authentication = createClientAuthentication(() => world.clients, secrets, everybody)
  calls = administrationCalls({ ...world, issuer, format, authentication })
  browser = await world.signIn('anna', 2)
})

const called = (headers: Record<string, string>, peerCertificate?: PeerCertificate): CallContext => ({
  metadata: { get: (name) => (name in headers ? [headers[name]!] : []) },
  peerAddress: '127.0.0.1',
  peerCertificate,
})
const basic = (id: string, password = 's') => `Basic ${Buffer.from(`${id}:${password}`).toString('base64')}`
const operator = called({ authorization: basic('operator'), 'user-agent': 'cli', traceparent })
const revoke = async (what: RevokeRequest['what'], disable = false) =>
  (await calls.revoke({ what, disable }, operator)).revision

/** A token of anna's, under a grant. */
async function issued(kind: Parameters<typeof format.mint>[0]) {
  const grant = await world.grant('web', browser)
  const { partition } = browser
  const { token, digest } = format.mint(kind, partition, randomBytes(32))
  const { recordDigest } = format.parse(token!)!
  const record = tokenRecord({ kind, grantId: grant.id, expiresAt: world.at + 60_000, issuedAt: world.at })
  const value = TokenRecord.encode(record).finish()
  const links = linksOf(partition, grant)
  await world.write(partition, (commit) => commit.puts.push({ key: tokenKey(partition, recordDigest), value, links }))
  return { token: token!, digest, grant }
}
const lastTold = async (partition = 2) => (await world.told(partition)).at(-1)!

describe('who may administer', () => {
  test.each<[string, CallContext, string]>([
    ['nobody in particular', called({}), 'invalid_client'],
    ['a wrong secret', called({ authorization: basic('operator', 'x') }), 'invalid_client'],
    ['whoever has a token', called({ authorization: 'Bearer cs_at_02Tc' }), 'invalid_client'],
    ['a client that is no operator', called({ authorization: basic('batch') }), 'access_denied'],
    ['a public client', called({ authorization: basic('web', '') }), 'invalid_client'],
    ['an unknown certificate', called({}, certificateOf('stranger')), 'invalid_client'],
  ])('is not %s', async (_name, context, code) => {
    const what = { $case: 'subject', value: 'anna' } as const
    await expect(calls.listKeys({}, context)).rejects.toMatchObject({ code })
    await expect(calls.rotateKeys({ alg: '', compromised: true }, context)).rejects.toMatchObject({ code })
    await expect(calls.revoke({ what, disable: true }, context)).rejects.toMatchObject({ code })
    expect((await calls.listKeys({}, operator)).keys).toHaveLength(3)
    expect(await world.isSignedIn(browser)).toBe(true)
  })

  test('is no operator that was disabled', async () => {
    await revoke({ $case: 'clientId', value: 'operator' }, true)
    await expect(calls.listKeys({}, operator)).rejects.toMatchObject({ code: 'access_denied' })
  })

  test('is whoever has the certificate of an operator', async () => {
    expect((await calls.listKeys({}, called({}, certificateOf('certified')))).keys).toHaveLength(3)
  })
})

describe('the signing keys', () => {
  test('are listed without their private parts', async () => {
    const { keys } = await calls.listKeys({}, operator)
    expect(keys.map(({ alg, state }) => `${alg} ${state}`).toSorted()).toEqual([
      'ES256 active',
      'EdDSA active',
      'RS256 active',
    ])
    for (const { publicJwk, kid } of keys) {
      expect(JSON.parse(publicJwk)).toMatchObject({ kid, use: 'sig' })
      expect(JSON.parse(publicJwk)).not.toHaveProperty('d')
    }
  })

  test('are rotated, and the journal knows by whom', async () => {
    const { keys } = await calls.rotateKeys({ alg: 'ES256', compromised: false }, operator)
    expect(keys.filter(({ state }) => state === 'published').map(({ alg }) => alg)).toEqual(['ES256'])
    expect(await lastTold(0)).toMatchObject({
      type: 'key.rotated',
      reason: 'commanded',
      actor: { kind: ActorKind.OPERATOR, id: 'operator', address: '127.0.0.1', userAgent: 'cli' },
      traceparent,
    })
    const after = await calls.rotateKeys({ alg: '', compromised: true }, operator)
    expect(after.keys.map(({ state }) => state)).toEqual(['active', 'active', 'active'])
    const before = new Set(keys.map(({ kid }) => kid))
    expect(after.keys.filter(({ kid }) => before.has(kid))).toEqual([])
    await expect(calls.rotateKeys({ alg: 'HS256', compromised: false }, operator)).rejects.toMatchObject({
      code: 'invalid_request',
    })
  })
})

describe('revoking', () => {
  test('a token of any client takes it back once, and tells who did', async () => {
    const { token } = await issued(TokenKind.ACCESS_TOKEN)
    expect(await revoke({ $case: 'token', value: token })).toMatch(/^2:[0-9a-f]+:1$/)
    expect(await lastTold()).toMatchObject({
      type: 'token.revoked',
      reason: 'revoked_by_operator',
      clientId: 'web',
      subject: 'anna',
      actor: { kind: ActorKind.OPERATOR, id: 'operator' },
      traceparent,
    })
    expect(JSON.stringify(await lastTold())).not.toContain(token)
    expect(await revoke({ $case: 'token', value: token })).toBe('')
  })

  test('a refresh token takes its grant with it', async () => {
    const { token, grant } = await issued(TokenKind.REFRESH_TOKEN)
    expect(await revoke({ $case: 'token', value: token })).not.toBe('')
    expect(await lastTold()).toMatchObject({ type: 'grant.revoked', grantId: grant.id })
  })

  test('a code makes it worthless, and what came of it where it was used', async () => {
    const client = world.find('web')!
    const session = browser.session.record
    const agreed = { client, subject: 'anna', session, scope: 'openid', audience: [], claims: '', toldSubject: '' }
    const [unused, used] = ['one', 'two'].map((id) =>
      grantOf({ ...agreed, origin: 'authorization_code' }, id, world.at),
    )
    const request = AuthorizationRecord.decode(new Uint8Array())
    const code = async (grant: GrantRecord) => {
      let made = ''
      const terms = { request, grant, clientEpoch: 0, subjectEpoch: 0, isAgreed: true }
      await world.write(2, (commit) => (made = addCode(commit, terms, format, randomBytes(32), 60_000, world.by())))
      return made
    }
    const redeem = async (made: string) => {
      const parsed = format.parse(made)!
      const held = createRecordReader().held((await world.store.follow(tokenKey(2, parsed.recordDigest)))!)
      const redemption = {
        parsed,
        held,
        client,
        redirectUri: undefined,
        codeVerifier: undefined,
        confirmation: undefined,
      }
      return redeemCode(redemption, format, { access: randomBytes(32), refresh: randomBytes(32) }, world.by())
    }
    const first = await code(unused!)
    expect(await revoke({ $case: 'token', value: first })).not.toBe('')
    await expect(redeem(first)).rejects.toMatchObject({ code: 'invalid_grant' })
    const second = await code(used!)
    await world.store.commit((await redeem(second)).commit)
    expect(await revoke({ $case: 'token', value: second })).not.toBe('')
    expect(await lastTold()).toMatchObject({ type: 'grant.revoked', grantId: 'two' })
    expect(await revoke({ $case: 'token', value: second })).toBe('')
  })

  test('a JWT takes its record', async () => {
    const grant = await world.grant('web', browser)
    const jti = jwtIdOf(2, randomBytes(32))
    const record = tokenRecord({ kind: TokenKind.ACCESS_TOKEN, grantId: grant.id, expiresAt: world.at + 60_000 })
    const value = TokenRecord.encode(record).finish()
    await world.write(2, (commit) => commit.puts.push({ key: tokenKey(2, jti), value, links: linksOf(2, grant) }))
    const token = await world.keyRing.sign({ iss: issuer, jti }, { alg: 'ES256', typ: 'at+jwt' })
    expect(await revoke({ $case: 'token', value: token })).not.toBe('')
    expect(await revoke({ $case: 'token', value: token })).toBe('')
  })

  test('a grant, a session or a person finds the partition', async () => {
    const grant = await world.grant('web', browser)
    expect(await revoke({ $case: 'grantId', value: grant.id })).toMatch(/^2:\w+:1$/)
    expect(await revoke({ $case: 'grantId', value: grant.id })).toBe('')
    expect(await revoke({ $case: 'sessionId', value: browser.session.record.id })).toMatch(/^2:\w+:2$/)
    expect(await world.isSignedIn(browser)).toBe(false)
    expect(await revoke({ $case: 'sessionId', value: browser.session.record.id })).toBe('')
    expect(await revoke({ $case: 'subject', value: 'anna' })).toMatch(/^2:\w+:3$/)
    expect(await revoke({ $case: 'subject', value: 'anna' }, true)).toMatch(/^2:\w+:4$/)
    const [entry] = await world.store.get([subjectKey(2, 'anna')])
    expect(SubjectRecord.decode(entry!.value)).toMatchObject({ epoch: 2, disabledAt: world.at })
    expect(await lastTold()).toMatchObject({ actor: { kind: ActorKind.OPERATOR, id: 'operator' } })
  })

  test('a client answers with a revision of each partition', async () => {
    const revisions = (await revoke({ $case: 'clientId', value: 'web' }, true)).split(' ')
    expect(revisions.map((revision) => revision.split(':')[0])).toEqual(['0', '1', '2'])
    const [entry] = await world.store.get([clientKey(1, 'web')])
    expect(ClientRecord.decode(entry!.value)).toMatchObject({ epoch: 1, disabledAt: world.at })
  })

  test.each<[string, RevokeRequest['what'], boolean, string]>([
    ['nothing', undefined, false, 'invalid_request'],
    ['an empty id', { $case: 'grantId', value: '' }, false, 'invalid_request'],
    ['an id with a space', { $case: 'subject', value: 'a b' }, false, 'invalid_request'],
    ['an id that is too long', { $case: 'sessionId', value: 'x'.repeat(129) }, false, 'invalid_request'],
    ['a token that is too long', { $case: 'token', value: 'x'.repeat(5_000) }, false, 'invalid_request'],
    ['to disable a grant', { $case: 'grantId', value: 'x' }, true, 'invalid_request'],
    ['somebody unknown', { $case: 'subject', value: 'nobody' }, true, 'not_found'],
    ['an unknown client', { $case: 'clientId', value: 'nobody' }, false, 'not_found'],
  ])('refuses %s', async (_name, what, disable, code) => {
    await expect(revoke(what, disable)).rejects.toMatchObject({ code })
  })

  test('what is unknown is nothing to revoke', async () => {
    const { token } = format.mint(TokenKind.ACCESS_TOKEN, 63, randomBytes(32))
    for (const value of [token!, 'cs_at_nonsense', 'eyJ.e30.x'])
      expect(await revoke({ $case: 'token', value })).toBe('')
    expect(await revoke({ $case: 'grantId', value: 'nothing' })).toBe('')
    expect(await revoke({ $case: 'sessionId', value: 'nothing' })).toBe('')
  })

  test('does not take what a client itself stands on', async () => {
    const grant = grantRecord({ id: 'standing.batch', clientId: 'batch' })
    await world.write(1, (commit) => commit.puts.push(grantPut(1, grant)))
    await expect(revoke({ $case: 'grantId', value: 'standing.batch' })).rejects.toMatchObject({
      code: 'invalid_request',
    })
  })
})
