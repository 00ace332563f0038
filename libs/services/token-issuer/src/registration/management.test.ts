import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { createMemoryStore } from '@countersign/store/memory'
import { eventsOf, openReplica, type Answer, type Replica } from './testing/world.ts'

const web = { redirect_uris: ['https://app.example/callback'], client_name: 'Reports' }

describe('a registered client', () => {
  let store: ReturnType<typeof createMemoryStore>
  let replica: Replica
  let other: Replica
  let id: string
  let token: string
  let secret: string

  beforeEach(async () => {
    store = createMemoryStore()
    replica = await openReplica({ store, partitions: 3 })
    other = await openReplica({ store, partitions: 3 })
    const { told } = await replica.register(web)
    id = String(told['client_id'])
    token = String(told['registration_access_token'])
    secret = String(told['client_secret'])
  })
  afterEach(async () => {
    await replica.close()
    await other.close()
  })

  const manage = (method: string, body?: object, by = token, at = id): Promise<Answer> =>
    replica.ask(method, `/oauth2/register/${at}`, body, by)

  test('reads what it registered, but for its secret, from any replica', async () => {
    const { status, headers, told } = await other.ask('GET', `/oauth2/register/${id}`, undefined, token)
    expect(status).toBe(200)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(told).toMatchObject({ client_id: id, ...web, registration_access_token: token })
    expect(told).not.toHaveProperty('client_secret')
  })

  test('is opened by nothing but its own token', async () => {
    const { told: stranger } = await replica.register(web)
    const another = String(stranger['registration_access_token'])
    const tampered = token.slice(0, -1) + (token.endsWith('0') ? '1' : '0')
    for (const by of [undefined, 'x', another, tampered, 'first-initial-token', secret]) {
      for (const [method, body] of [['GET'], ['PUT', { client_id: id, ...web }], ['DELETE']] as const) {
        const { status, headers, told } = await replica.ask(method, `/oauth2/register/${id}`, body, by)
        expect([status, told]).toEqual([401, { error: 'invalid_token' }])
        expect(headers.get('www-authenticate')).toMatch(/^Bearer realm/)
      }
    }
    for (const at of ['cs_client_AAAAAAAAAAAAAAAAAAAAAA', 'x', 'a%20b', '..%2fx', '%00']) {
      expect((await manage('GET', undefined, token, at)).status).toBe(401)
    }
    expect((await manage('GET')).status).toBe(200)
  })

  test('replaces what it registered, and gets another token in the place of its own', async () => {
    const metadata = { redirect_uris: ['https://app.example/other'], scope: 'read', client_name: null }
    const { status, told } = await manage('PUT', { client_id: id, client_secret: secret, ...metadata })
    expect([status, told['redirect_uris'], told['scope']]).toEqual([200, metadata.redirect_uris, 'read'])
    expect(told).not.toHaveProperty('client_name')
    expect(told).not.toHaveProperty('client_secret')
    expect(told['registration_access_token']).not.toBe(token)
    expect((await manage('GET')).status).toBe(401)
    expect((await manage('GET', undefined, String(told['registration_access_token']))).status).toBe(200)
    for (const each of [replica, other]) {
      expect(await each.find(id)).toMatchObject({ redirectUris: metadata.redirect_uris, scopes: ['read'], name: id })
      expect(await each.authenticated(id, secret)).toMatchObject({ id })
    }
    expect((await eventsOf(store)).map(({ type, actor }) => [type, actor?.id])).toEqual([
      ['client.created', id],
      ['client.changed', id],
    ])
  })

  test('may put back what it reads', async () => {
    const { told: plain } = await replica.register({ ...web, scope: '', grant_types: ['client_credentials'] })
    const { registration_access_token, registration_client_uri: _, client_id_issued_at: __, ...rest } = plain
    const { client_secret_expires_at: ___, ...body } = rest
    const answer = await manage('PUT', body, String(registration_access_token), String(plain['client_id']))
    const { client_secret: ____, ...read } = body
    expect(answer).toMatchObject({ status: 200, told: read })
    expect(await replica.find(String(plain['client_id']))).toMatchObject({ scopes: [], grants: ['client_credentials'] })
  })

  test('gets a secret when it begins to need one, and loses it when it needs none any more', async () => {
    const open = await manage('PUT', { client_id: id, ...web, token_endpoint_auth_method: 'none' })
    await expect(replica.authenticated(id, secret)).rejects.toMatchObject({ code: 'invalid_client' })
    expect(await replica.find(id)).toMatchObject({ public: true, secrets: [] })
    const again = await manage('PUT', { client_id: id, ...web }, String(open.told['registration_access_token']))
    expect(again.told['client_secret']).not.toBe(secret)
    expect(await replica.authenticated(id, String(again.told['client_secret']))).toMatchObject({ id })
  })

  test.each<[string, object]>([
    ['without its id', { client_id: undefined }],
    ['with another id', { client_id: 'batch' }],
    ['with a secret that it chose', { client_secret: 'chosen' }],
    ['with a secret of no text', { client_secret: 17 }],
    ['with a token', { registration_access_token: 'x' }],
    ['with an address of its own', { registration_client_uri: 'https://id.example/' }],
    ['with an expiry', { client_secret_expires_at: 0 }],
    ['with metadata that is refused', { scope: 'admin' }],
  ])('cannot replace it %s', async (_, body) => {
    const answer = await manage('PUT', { client_id: id, ...web, ...body })
    expect(answer).toMatchObject({ status: 400, told: { error: 'invalid_client_metadata' } })
    expect((await manage('GET')).told).toMatchObject(web)
  })

  test('is replaced once by many who try at once with the same token', async () => {
    const all = 5
    const arrived: string[] = []
    const { promise, resolve } = Promise.withResolvers<unknown>()
    const fetchJson = (url: string) => (arrived.push(url) === all && resolve(web.redirect_uris), promise)
    const slow = await openReplica({ store, partitions: 3, fetchJson })
    const sector = { subject_type: 'pairwise', sector_identifier_uri: 'https://sector.example/' }
    const put = (client_name: string) =>
      slow.ask('PUT', `/oauth2/register/${id}`, { client_id: id, ...web, ...sector, client_name }, token)
    const answers = await Promise.all(Array.from({ length: all }, (_, n) => put(`${n}`)))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array<number>(all - 1).fill(401)])
    const [winner] = answers.filter(({ status }) => status === 200)
    const now = await manage('GET', undefined, String(winner!.told['registration_access_token']))
    expect(now.told['client_name']).toBe(winner!.told['client_name'])
    await slow.close()
  })

  test('has no more than the configuration allows now', async () => {
    const reopened = await openReplica({ store, partitions: 3 })
    Object.assign(reopened.settings, { enabled: false, scopes: ['read'], grants: ['refresh_token'] })
    expect(await reopened.find(id)).toMatchObject({ scopes: ['read'], grants: [] })
    await reopened.close()
  })

  test('is built once as long as it does not change', async () => {
    const [first, second] = [await replica.find(id), await replica.find(id)]
    expect(second).toBe(first)
    await manage('PUT', { client_id: id, ...web })
    expect(await replica.find(id)).not.toBe(first)
  })
})
