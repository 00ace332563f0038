import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { bearer, Gateway, nobody, on, told } from '../testing/gateway.ts'
import { standing } from '../testing/person.ts'

let gateway: Gateway
const open = async (...options: Parameters<typeof Gateway.open>) => {
  gateway = await Gateway.open(...options)
}
afterEach(() => gateway.close())

describe('a rule', () => {
  beforeEach(open)

  test('that is for everybody lets everybody through, and tells who is known', async () => {
    const person = await gateway.ann()
    expect(await gateway.about('/public').then((reply) => [reply.status, told(reply)])).toEqual([200, nobody])
    const invalid = await gateway.about('/public', bearer('cs_at_x'))
    expect([invalid.status, told(invalid)]).toEqual([200, nobody])
    expect(told(await gateway.about('/public', bearer(await person.token()))).subject).toBe('ann')
  })

  test('is needed: what none is for is refused, whoever asks', async () => {
    const headers = bearer(await (await gateway.ann()).token())
    for (const [path, method] of [['/elsewhere'], ['/readx'], ['/read', 'POST']] as const) {
      expect((await gateway.about(path, headers, method)).status).toBe(403)
    }
    expect((await gateway.about('/read', { ...headers, 'x-forwarded-host': 'other.example' })).status).toBe(403)
  })

  test('may be in the query instead', async () => {
    const headers = bearer(await (await gateway.ann()).token())
    expect((await gateway.ask(headers, '?scope=read&role=editor&attribute=unit:physics')).status).toBe(200)
    for (const query of ['?scope=write', '?scope=read&role=owner', '?attribute=unit:law']) {
      expect((await gateway.ask(headers, query)).status).toBe(403)
    }
    expect((await gateway.ask({}, '?scope=read')).status).toBe(401)
    expect((await gateway.ask(headers, '?scope=read&rol=owner')).status).toBe(400)
  })
})

describe('the request that is asked about', () => {
  test.each([
    '/public/../edit',
    '/public/%2e%2e/edit',
    '/public%2fedit',
    '/public//edit',
    '/public/..;/edit',
    '/public\\edit',
    '/public%00',
  ])('%s can be read in two ways, and is refused, even where everybody may pass', async (path) => {
    await open(on)
    expect((await gateway.about(path)).status).toBe(400)
  })

  test.each(['', 'edit', '%zz', '/%zz', '/é', 'http://reports.example/public'])(
    '%p is malformed, and refused',
    async (path) => {
      await open(on)
      expect((await gateway.about(Buffer.from(path).toString('latin1'))).status).toBe(403)
    },
  )

  test('is what an escaped path means', async () => {
    await open(on)
    expect((await gateway.about('/%65dit', bearer(await (await gateway.ann({ standings: [] })).token()))).status).toBe(
      403,
    )
    expect((await gateway.about('/p%75blic')).status).toBe(200)
  })

  test('is not told by whoever is no trusted proxy', async () => {
    await open(on, [])
    const person = await gateway.ann()
    for (const headers of [{}, bearer(await person.token()), { cookie: person.cookie }]) {
      const reply = await gateway.about('/public', headers)
      expect(reply.status).toBe(403)
      expect(reply.body).toContain('trusted_proxies')
    }
    await gateway.close()
    await open(on, ['10.0.0.0/8'])
    expect((await gateway.about('/public')).status).toBe(403)
  })
})

describe('identity headers', () => {
  beforeEach(open)

  test('that a client sent are replaced, whatever their case, and whatever it says of the connection', async () => {
    const sent = {
      'X-Auth-Subject': 'root',
      'x-AUTH-roles': 'admin',
      X_Auth_Subject: 'root',
      'X-Auth-Attributes': 'unit=law',
      Connection: 'X-Auth-Subject, X-Auth-Roles, X-Auth-Client, X-Auth-Scopes, X-Auth-Attributes',
    }
    const token = await (await gateway.ann({ standings: [] })).token()
    const known = await gateway.about('/read', { ...sent, ...bearer(token) })
    expect(told(known)).toEqual({ subject: 'ann', client: 'batch', scopes: 'read', roles: '', attributes: '' })
    expect(String(known.headers.connection)).not.toMatch(/x-auth/i)
    expect(told(await gateway.about('/public', sent))).toEqual(nobody)
  })

  test('hold whatever somebody is called', async () => {
    const roles = ['a\r\nX-Auth-Subject: root', 'zoë']
    const person = await gateway.ann({ standings: [standing('staff', roles)] })
    const token = await person.token({}, { toldSubject: 'ann\r\nx' })
    expect(told(await gateway.about('/public', bearer(token)))).toMatchObject({
      subject: 'ann%0D%0Ax',
      roles: 'a%0D%0AX-Auth-Subject:%20root,zo%C3%AB',
    })
  })
})

describe('no verdict is no permission', () => {
  test('while the store cannot be asked', async () => {
    await open(on)
    const person = await gateway.ann()
    const token = await person.token()
    gateway.isStoreDown = true
    for (const headers of [bearer(token), { cookie: person.cookie }]) {
      for (const path of ['/read', '/public']) {
        const reply = await gateway.about(path, headers)
        expect(reply.status).toBe(503)
        expect(reply.headers).toHaveProperty('retry-after')
        expect(reply.headers).not.toHaveProperty('x-auth-subject')
      }
    }
  })

  test('for whoever tries tokens out; others go on', async () => {
    const failed: string[] = []
    const scanning = {
      fail: (key: string) => void failed.push(key),
      blockedSeconds: (key: string) => (failed.filter((each) => each === key).length > 2 ? 9 : undefined),
    }
    await open(on, ['loopback'], { scanning })
    const token = await (await gateway.ann()).token()
    const from = (address: string, brought: string) =>
      gateway.about('/read', { ...bearer(brought), 'x-forwarded-for': address })
    for (let n = 0; n < 3; n++) expect((await from('203.0.113.7', 'cs_at_x')).status).toBe(401)
    const blocked = await from('203.0.113.7', token)
    expect([blocked.status, blocked.headers['retry-after']]).toEqual([429, '9'])
    expect((await from('203.0.113.8', token)).status).toBe(200)
  })

  test('for another method', async () => {
    await open(on)
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      const reply = await gateway.ask({}, '', method)
      expect([reply.status, reply.headers.allow]).toEqual([405, 'GET, HEAD'])
    }
    expect((await gateway.ask({}, '', 'HEAD')).status).toBe(403)
  })
})

describe('while authentication is off', () => {
  test('everything passes as anonymous, and that is said, and counted', async () => {
    await open({ ...on, authentication: 'off' }, [])
    expect(gateway.world.logged.filter((line) => line.startsWith('AUTHENTICATION IS OFF'))).toHaveLength(1)
    const person = await gateway.ann()
    const sent = { 'x-auth-subject': 'root', ...bearer(await person.token()), cookie: person.cookie }
    gateway.isStoreDown = true
    for (const [headers, query] of [
      [{}, ''],
      [sent, ''],
      [sent, '?scope=write'],
      [{ 'x-forwarded-uri': '//' }, '?x'],
    ] as const) {
      const reply = await gateway.ask(headers, query)
      expect(reply).toMatchObject({ status: 200, body: '' })
      expect(reply.headers['countersign-authentication']).toBe('off')
      expect(told(reply)).toEqual(nobody)
    }
    expect(gateway.world.logged.filter((line) => line.startsWith('AUTHENTICATION IS OFF'))).toHaveLength(2)
    expect(gateway.service.stats().anonymous).toBe(4)
  })

  test('it is nothing that the absence of rules would do', async () => {
    await open({ ...on, rules: [] })
    expect(gateway.world.logged).toEqual([])
    for (const path of ['/', '/public']) expect((await gateway.about(path)).status).toBe(403)
    expect(gateway.service.stats().anonymous).toBe(0)
  })

  test('and where it is not asked for there is no such door', async () => {
    await open()
    const without = gateway.world.service()
    expect(without.routers).toHaveLength(gateway.service.routers.length - 1)
    await without.close()
  })
})
