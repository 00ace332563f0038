import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { ask, basic, MainJob, startEmbedded, until, type Embedded } from '@countersign/servers'

describe('the main job in one process', () => {
  let embedded: Embedded
  let job: MainJob

  beforeAll(async () => {
    embedded = await startEmbedded()
    job = new MainJob(embedded)
  })
  afterAll(() => embedded?.stop())

  test('a machine gets a token, a resource server asks about it, it is revoked and refused, and the journal has all of it', async () => {
    const issued = await job.issue()
    expect(issued.status).toBe(200)
    expect(issued.headers['cache-control']).toBe('no-store')
    const { access_token: token, ...rest } = issued.json<{ access_token: string }>()
    expect(rest).toEqual({ token_type: 'Bearer', expires_in: 300, scope: 'read:reports' })

    const answer = (await job.introspect(token)).json()
    expect(answer).toMatchObject({
      active: true,
      scope: 'read:reports',
      client_id: 'batch',
      sub: 'batch',
      aud: 'https://reports.example',
      iss: embedded.issuerUrl,
      token_type: 'Bearer',
    })

    const revoked = await job.revoke(token)
    expect(revoked.status).toBe(200)
    expect(revoked.headers['countersign-revision']).toMatch(/^0:[0-9a-f]+:1$/)
    expect((await job.introspect(token)).text).toBe('{"active":false}')

    const about = async () => job.events(`&token_fingerprint=${answer.jti as string}`)
    await until(async () => (await about()).length === 2)
    expect((await about()).map(({ type }) => type)).toEqual(['token.issued', 'token.revoked'])
    expect(JSON.stringify(await job.events())).not.toContain(token.slice(6, 40))
  })

  test('everything is still there after kill -9', async () => {
    const [live, dead] = [await job.token(), await job.token()]
    expect((await job.revoke(dead)).status).toBe(200)
    await embedded.process.restart()
    expect(await job.isActive(live)).toBe(true)
    expect(await job.isActive(dead)).toBe(false)
    await until(async () => (await job.events('&type=token.issued')).length === 3)
    const events = await job.events()
    expect(events.map(({ index }) => index)).toEqual(events.map((_, n) => n + 1))
    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length)
  })

  test('the journal is shown to who may read it only', async () => {
    const url = `${embedded.auditUrl}/audit/v1/events`
    expect((await ask(url)).status).toBe(401)
    const asBatch = { authorization: basic('batch', embedded.secrets.batch) }
    expect((await ask(url, { headers: asBatch })).status).toBe(403)
  })

  test('the documents say what is on, and nothing else', async () => {
    for (const path of ['oauth-authorization-server', 'openid-configuration']) {
      const reply = await ask(`${embedded.issuerUrl}/.well-known/${path}`)
      const document = reply.json<Record<string, unknown>>()
      expect(document).toMatchObject({
        issuer: embedded.issuerUrl,
        token_endpoint: `${embedded.issuerUrl}/oauth2/token`,
        response_types_supported: ['code'],
        scopes_supported: expect.arrayContaining(['openid', 'read:reports', 'read:mail']),
        request_parameter_supported: false,
        tls_client_certificate_bound_access_tokens: false,
      })
      expect(document).not.toHaveProperty('registration_endpoint')
      const endpoints = Object.entries(document).filter(([name]) => name.endsWith('_endpoint'))
      for (const [name, url] of endpoints)
        expect({ name, status: (await ask(String(url))).status }).not.toEqual({ name, status: 404 })
    }
    const { keys } = (await ask(`${embedded.issuerUrl}/oauth2/jwks`)).json<{ keys: Record<string, string>[] }>()
    expect(keys.map(({ alg }) => alg).sort()).toEqual(['ES256', 'EdDSA', 'RS256'])
    for (const key of keys) {
      for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) expect(key).not.toHaveProperty(secret)
    }
  })

  test('is observable: metrics, life and readiness', async () => {
    const metrics = (await ask(`${embedded.management}/metrics`)).text
    const wanted = [
      'process_cpu_seconds_total',
      'countersign_outbox_events',
      'countersign_http_duration_seconds',
      'countersign_journal_events',
    ]
    expect(wanted.filter((name) => !metrics.includes(`# TYPE ${name} `))).toEqual([])
    expect((await ask(`${embedded.management}/healthz`)).status).toBe(200)
    expect((await ask(`${embedded.management}/readyz`)).status).toBe(200)
  })
})
