import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { connect } from 'node:net'
import { ask, basic, MainJob, post, startEmbedded, type Embedded, type Reply } from '@countersign/servers'

const unauthorized = { status: 401, error: 'invalid_client' }
const badRequest = { status: 400, error: 'invalid_request' }
const outcome = (reply: Reply) => ({ status: reply.status, error: reply.json<{ error?: string }>().error })

describe('bad input', () => {
  let embedded: Embedded
  let job: MainJob
  let tokenUrl: string
  let revokeUrl: string
  let introspectUrl: string
  let batch: [string, string]
  let api: [string, string]

  beforeAll(async () => {
    embedded = await startEmbedded({
      config: 'throttle: { failed_authentications_per_minute: 5, inactive_introspections_per_minute: 150 }',
      clients: [
        '{ id: web, public: true, grants: [authorization_code], redirect_uris: ["https://app.example/cb"] }',
        '{ id: other, secret: other-secret-other-secret, grants: [client_credentials], audience: [reports] }',
        '{ id: mail-api, secret: mail-secret-mail-secret, introspect: [mail] }',
        '{ id: scanner, secret: scan-secret-scan-secret, introspect: [reports] }',
        '{ id: brief, secret: brief-secret-brief-secret, grants: [client_credentials], audience: [reports], access_token_lifetime: 1s }',
      ],
    })
    job = new MainJob(embedded)
    tokenUrl = `${embedded.issuerUrl}/oauth2/token`
    revokeUrl = `${embedded.issuerUrl}/oauth2/revoke`
    introspectUrl = `${embedded.issuerUrl}/oauth2/introspect`
    batch = ['batch', embedded.secrets.batch]
    api = ['reports-api', embedded.secrets['reports-api']]
  })
  afterAll(() => embedded?.stop())

  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const raw = (url: string, body: string | Buffer, headers: Record<string, string> = {}) =>
    ask(url, { method: 'POST', headers: { ...form, authorization: basic(...batch), ...headers }, body })

  describe('at /oauth2/token', () => {
    test('is told by method, content type and place', async () => {
      const got = await ask(tokenUrl)
      expect(got.status).toBe(405)
      expect(got.headers.allow).toBe('POST, OPTIONS')
      const json = { 'content-type': 'application/json' }
      expect(outcome(await raw(tokenUrl, '{"grant_type":"client_credentials"}', json))).toEqual(badRequest)
      const inQuery = `${tokenUrl}?grant_type=client_credentials&client_id=batch&client_secret=${embedded.secrets.batch}`
      expect(outcome(await post(inQuery, undefined, {}))).toEqual(badRequest)
    })

    test('wants one good authentication', async () => {
      const grant = { grant_type: 'client_credentials' }
      expect(outcome(await post(tokenUrl, undefined, grant))).toEqual(unauthorized)
      expect(outcome(await post(tokenUrl, ['nobody', 'x'], grant))).toEqual(unauthorized)
      const wrong = await post(tokenUrl, ['other', 'x'], grant)
      expect(outcome(wrong)).toEqual(unauthorized)
      expect(wrong.headers['www-authenticate']).toMatch(/^Basic /)
      expect(outcome(await post(tokenUrl, batch, { ...grant, client_secret: batch[1] }))).toEqual(badRequest)
      expect(outcome(await raw(tokenUrl, 'grant_type=client_credentials', { authorization: 'Basic !!!' }))).toEqual(
        unauthorized,
      )
      expect(outcome(await raw(tokenUrl, 'grant_type=client_credentials', { authorization: 'Basic' }))).toEqual(
        unauthorized,
      )
    })

    test('slows down who guesses a secret, and nobody else', async () => {
      const grant = { grant_type: 'client_credentials' }
      for (let n = 0; n < 6; n++) await post(tokenUrl, ['mail-api', `guess ${n}`], grant)
      const blocked = await post(tokenUrl, ['mail-api', 'mail-secret-mail-secret'], grant)
      expect(blocked.status).toBe(429)
      expect(Number(blocked.headers['retry-after'])).toBeGreaterThan(0)
      expect((await job.issue()).status).toBe(200)
    })

    test('serves the grants it serves, to the clients that may', async () => {
      expect(outcome(await post(tokenUrl, batch, {}))).toEqual(badRequest)
      const password = { grant_type: 'password', username: 'a', password: 'b' }
      expect(outcome(await post(tokenUrl, batch, password))).toEqual({ status: 400, error: 'unsupported_grant_type' })
      const asPublic = { grant_type: 'client_credentials', client_id: 'web' }
      expect(outcome(await post(tokenUrl, undefined, asPublic))).toEqual({ status: 400, error: 'unauthorized_client' })
      expect(outcome(await post(tokenUrl, api, { grant_type: 'client_credentials' }))).toEqual({
        status: 400,
        error: 'unauthorized_client',
      })
    })

    test('refuses scopes that are not allowed, and ten thousand of them as fast', async () => {
      const invalidScope = { status: 400, error: 'invalid_scope' }
      for (const scope of [
        'admin',
        'read:reports admin',
        'read:mail',
        Array.from({ length: 3_000 }, (_, n) => `s${n}`).join(' '),
      ]) {
        expect(outcome(await job.issue({ scope }))).toEqual(invalidScope)
      }
      const startedMs = performance.now()
      expect(outcome(await job.issue({ scope: Array.from({ length: 10_000 }, () => 'a').join(' ') }))).toEqual(
        invalidScope,
      )
      expect(performance.now() - startedMs).toBeLessThan(1_000)
    })

    test('refuses forms that are none, or more than one', async () => {
      const bodies = [
        'grant_type=client_credentials&grant_type=client_credentials',
        'grant_type=client_credentials&scope=%ZZ',
        'grant_type=client_credentials&scope=%ED%A0%80',
        'grant_type=client_credentials&scope=%00',
        'grant_type=client_credentials&scope=%FF',
        Buffer.from('grant_type=client_credentials&scope=\xff', 'latin1'),
      ]
      for (const body of bodies) expect(outcome(await raw(tokenUrl, body))).toEqual(badRequest)
    })

    test('takes an empty parameter for an absent one, and ignores what it does not know', async () => {
      const reply = await job.issue({ scope: '', resource_hint: 'x' })
      expect(reply.json()).toMatchObject({ scope: 'read:reports' })
    })

    test('never lets an answer be kept', async () => {
      const replies = [
        await job.issue(),
        await post(tokenUrl, undefined, {}),
        await job.issue({ scope: 'x' }),
        await ask(tokenUrl),
      ]
      for (const reply of replies) expect(reply.headers['cache-control']).toContain('no-store')
    })
  })

  describe('at /oauth2/revoke', () => {
    test('what is no token of the client is none of its business: 200, and nothing happens', async () => {
      const token = await job.token()
      for (const garbage of ['x', 'cs_at_', token.slice(0, -1), token.toUpperCase(), 'é', '\u202e']) {
        expect((await job.revoke(garbage)).status).toBe(200)
      }
      expect((await post(revokeUrl, ['other', 'other-secret-other-secret'], { token })).status).toBe(200)
      expect((await post(revokeUrl, undefined, { token, client_id: 'web' })).status).toBe(200)
      expect(await job.isActive(token)).toBe(true)
    })

    test('a wrong hint does no harm', async () => {
      const token = await job.token()
      expect((await post(revokeUrl, batch, { token, token_type_hint: 'refresh_token' })).status).toBe(200)
      expect(await job.isActive(token)).toBe(false)
    })

    test('a confidential client must prove itself', async () => {
      const token = await job.token()
      expect(outcome(await post(revokeUrl, undefined, { token, client_id: 'batch' }))).toEqual(unauthorized)
      expect(outcome(await post(revokeUrl, undefined, { token }))).toEqual(unauthorized)
      expect(outcome(await post(revokeUrl, batch, {}))).toEqual(badRequest)
      expect(await job.isActive(token)).toBe(true)
    })
  })

  describe('at /oauth2/introspect', () => {
    test('nobody asks without saying who asks', async () => {
      const token = await job.token()
      expect(outcome(await post(introspectUrl, undefined, { token }))).toEqual(unauthorized)
      expect(outcome(await post(introspectUrl, undefined, { token, client_id: 'reports-api' }))).toEqual(unauthorized)
      const asToken = await ask(introspectUrl, {
        method: 'POST',
        headers: { ...form, authorization: `Bearer ${token}` },
        body: `token=${token}`,
      })
      expect(outcome(asToken)).toEqual(unauthorized)
    })

    test('unknown, expired, revoked, altered and foreign tokens are the same bytes', async () => {
      const [token, revoked] = [await job.token(), await job.token()]
      await job.revoke(revoked)
      const short = await post(tokenUrl, ['brief', 'brief-secret-brief-secret'], { grant_type: 'client_credentials' })
      const expiring = short.json<{ access_token: string }>().access_token
      expect(await job.isActive(expiring)).toBe(true)
      await new Promise((resolve) => setTimeout(resolve, 1_100))
      const variants = [
        token.toUpperCase(),
        `${token} `,
        ` ${token}`,
        `${token}é`,
        token.slice(0, -1),
        token.replace('cs_at', 'cs_rt'),
      ]
      for (const dead of ['x', expiring, revoked, ...variants]) {
        const reply = await job.introspect(dead)
        expect({ status: reply.status, text: reply.text }).toEqual({ status: 200, text: '{"active":false}' })
      }
      const foreign = await post(introspectUrl, ['scanner', 'scan-secret-scan-secret'], { token })
      expect(foreign.json()).toMatchObject({ active: true })
      const owner = await post(introspectUrl, batch, { token })
      expect(owner.text).toBe('{"active":false}')
    })

    test('a token of more than 4 KiB, or with NUL, is no question', async () => {
      expect(outcome(await job.introspect('x'.repeat(4_097)))).toEqual(badRequest)
      expect(outcome(await job.introspect('x\0'))).toEqual(badRequest)
      expect(outcome(await post(introspectUrl, api, {}))).toEqual(badRequest)
    })

    test('who tries tokens out is slowed down, and nobody else', async () => {
      const scan = () => post(introspectUrl, ['scanner', 'scan-secret-scan-secret'], { token: 'cs_at_guess' })
      const statuses = []
      for (let n = 0; n < 160; n++) statuses.push((await scan()).status)
      expect(statuses.slice(0, 150)).toEqual(Array.from({ length: 150 }, () => 200))
      expect(statuses.at(-1)).toBe(429)
      expect((await job.introspect('x')).status).toBe(200)
    })
  })

  describe('in size and shape', () => {
    test('headers over 16 KiB are 431, bodies over the limit 413, ten thousand parameters 400', async () => {
      expect((await ask(tokenUrl, { headers: { 'x-long': 'x'.repeat(17 * 1024) } })).status).toBe(431)
      expect((await raw(tokenUrl, 'x'.repeat(1024 * 1024))).status).toBe(413)
      const many = Array.from({ length: 10_000 }, (_, n) => `p${n}=`).join('&')
      expect([400, 413]).toContain((await raw(tokenUrl, many)).status)
      const compressed = await raw(tokenUrl, 'grant_type=client_credentials', { 'content-encoding': 'gzip' })
      expect(compressed.status).toBe(400)
    })

    test('what is not HTTP is refused, and the server goes on', async () => {
      const { hostname, port } = new URL(tokenUrl)
      const answer = await new Promise<string>((resolve, reject) => {
        const socket = connect(Number(port), hostname, () => socket.write('nonsense\r\n\r\n'))
        socket.on('data', (data) => resolve(data.toString()))
        socket.on('error', reject)
      })
      expect(answer).toMatch(/^HTTP\/1\.1 400 /)
      expect((await job.issue()).status).toBe(200)
    })

    test('an unknown path is a problem, told as one', async () => {
      const reply = await ask(`${embedded.issuerUrl}/nothing/here`)
      expect(reply.status).toBe(404)
      expect(reply.headers['content-type']).toMatch(/^application\/problem\+json/)
    })
  })
})
