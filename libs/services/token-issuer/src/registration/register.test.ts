import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { generateKeyPairSync } from 'node:crypto'
import { inspect } from 'node:util'
import { createMemoryStore } from '@countersign/store/memory'
import { tokenPattern } from '@countersign/tokens'
import { eventsOf, initialTokens, openReplica, type Replica } from './testing/world.ts'

const web = { redirect_uris: ['https://app.example/callback'] }
const publicJwk = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })

describe.each([1, 3])('registration with %i partitions', (partitions) => {
  let store: ReturnType<typeof createMemoryStore>
  let replica: Replica

  beforeEach(async () => {
    store = createMemoryStore()
    replica = await openReplica({ store, partitions })
  })
  afterEach(() => replica.close())

  test('gives a web application its id, a secret that is told once, and what holds where it said nothing', async () => {
    const { status, headers, told } = await replica.register({ ...web, client_name: 'Reports' })
    expect(status).toBe(201)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('content-type')).toBe('application/json')
    const id = String(told['client_id'])
    expect(id).toMatch(/^cs_client_[A-Za-z0-9_-]{22}$/)
    expect(told).toEqual({
      client_id: id,
      client_id_issued_at: expect.any(Number),
      client_secret: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
      client_secret_expires_at: 0,
      registration_access_token: expect.stringMatching(/^cs_reg_/),
      registration_client_uri: `https://id.example/oauth2/register/${id}`,
      redirect_uris: web.redirect_uris,
      token_endpoint_auth_method: 'client_secret_basic',
      grant_types: ['authorization_code'],
      response_types: ['code'],
      scope: 'openid email read',
      application_type: 'web',
      client_name: 'Reports',
      id_token_signed_response_alg: 'RS256',
      subject_type: 'public',
      post_logout_redirect_uris: [],
      backchannel_logout_session_required: false,
      require_pushed_authorization_requests: false,
      dpop_bound_access_tokens: false,
      tls_client_certificate_bound_access_tokens: false,
    })
    expect(told['registration_access_token']).toMatch(tokenPattern)
    expect(await replica.authenticated(id, String(told['client_secret']))).toMatchObject({
      id,
      name: 'Reports',
      registeredItself: true,
      asksConsent: true,
      requiresPkce: true,
      public: false,
      audience: ['https://reports.example'],
      introspects: new Set(),
    })
    await expect(replica.authenticated(id, 'x'.repeat(43))).rejects.toMatchObject({ code: 'invalid_client' })
  })

  test('keeps neither the secret nor the token, and tells of both to nobody', async () => {
    const { told } = await replica.register(web)
    const kept = inspect(store.snapshot(), { depth: 9, maxArrayLength: null, maxStringLength: null })
    const bytes = [...kept.matchAll(/Uint8Array\(\d+\) \[([^\]]*)\]/g)].map(([, list]) =>
      Buffer.from(list!.split(',').map(Number)),
    )
    const all = kept + Buffer.concat(bytes).toString('latin1')
    expect(all).toContain('scrypt$')
    for (const secret of ['client_secret', 'registration_access_token']) expect(all).not.toContain(told[secret])
    expect(replica.logged).toEqual([])
  })

  test('tells whose registration it was, and with which initial access token', async () => {
    const { told } = await replica.register({ ...web, scope: 'read' }, initialTokens[1])
    const [event, ...others] = await eventsOf(store)
    expect(others).toEqual([])
    expect(event).toMatchObject({
      type: 'client.created',
      clientId: told['client_id'],
      actor: { id: told['client_id'], address: '127.0.0.1' },
      scopes: ['read'],
      attributes: { initial_access_token: '2' },
    })
  })

  test('takes native applications: without a secret, with PKCE, on loopback and with a scheme of their own', async () => {
    const redirect_uris = ['http://127.0.0.1/callback', 'http://[::1]:0/x', 'com.example.app:/callback']
    const { status, told } = await replica.register({
      redirect_uris,
      application_type: 'native',
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
    })
    expect(status).toBe(201)
    expect(told).not.toHaveProperty('client_secret')
    expect(told).not.toHaveProperty('client_secret_expires_at')
    const client = await replica.find(String(told['client_id']))
    expect(client).toMatchObject({ public: true, requiresPkce: true, redirectUris: redirect_uris, secrets: [] })
    expect(client!.grants).toEqual(['authorization_code', 'refresh_token'])
  })

  test('takes keys in the place of a secret', async () => {
    const jwk = { ...publicJwk(), kid: 'one', remark: 'left out' }
    const { told } = await replica.register({
      ...web,
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [jwk] },
    })
    const { remark: _, ...kept } = jwk
    expect(told).toMatchObject({ jwks: { keys: [kept] } })
    expect(told).not.toHaveProperty('client_secret')
    expect(await replica.find(String(told['client_id']))).toMatchObject({
      authenticationMethod: 'private_key_jwt',
      keys: { jwks: { keys: [kept] } },
    })
    const at = { jwks_uri: 'https://app.example/jwks', token_endpoint_auth_method: 'private_key_jwt' }
    const { told: other } = await replica.register({ ...web, ...at })
    expect(await replica.find(String(other['client_id']))).toMatchObject({ keys: { jwksUri: at.jwks_uri } })
  })

  test('takes machines, and clients known by a certificate', async () => {
    const machine = { grant_types: ['client_credentials'], scope: 'read' }
    const { told } = await replica.register(machine)
    expect(told).toMatchObject({ redirect_uris: [], response_types: [], scope: 'read' })
    const names = { token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_san_dns: 'app.example' }
    const { told: certified } = await replica.register({ ...machine, ...names })
    expect(await replica.find(String(certified['client_id']))).toMatchObject({
      certificate: { sanDns: 'app.example' },
      scopes: ['read'],
    })
  })

  test('keeps what else a client may say, and ignores what is not known', async () => {
    const said = {
      ...web,
      token_endpoint_auth_method: 'client_secret_post',
      client_uri: 'https://app.example/',
      logo_uri: 'https://app.example/logo.png',
      policy_uri: 'https://app.example/policy',
      tos_uri: 'https://app.example/terms',
      contacts: ['ops@app.example'],
      id_token_signed_response_alg: 'ES256',
      subject_type: 'pairwise',
      post_logout_redirect_uris: ['https://app.example/'],
      backchannel_logout_uri: 'https://app.example/ended',
      backchannel_logout_session_required: true,
      require_pushed_authorization_requests: true,
      dpop_bound_access_tokens: true,
      software_id: 'a',
      software_version: '1',
    }
    const powers = {
      admin: true,
      audit: true,
      introspect: ['*'],
      audience: ['x'],
      id: 'batch',
      registeredItself: false,
    }
    const odd = {
      consent: false,
      client_id: 'batch',
      client_secret: 'chosen',
      tls_client_auth_san_dns: 'x',
      logo_uri2: 1,
    }
    const { told } = await replica.register({ ...said, ...powers, ...odd, policy_url: null })
    expect(told).toMatchObject(said)
    for (const name of ['admin', 'audit', 'introspect', 'consent', 'audience', 'tls_client_auth_san_dns']) {
      expect(told).not.toHaveProperty(name)
    }
    expect(told['client_secret']).not.toBe('chosen')
    expect(await replica.find('batch')).toBeUndefined()
    expect(await replica.find(String(told['client_id']))).toMatchObject({
      administers: false,
      readsAudit: false,
      introspects: new Set(),
      asksConsent: true,
      audience: ['https://reports.example'],
      pairwiseSector: 'app.example',
      requiresDpop: true,
      requiresPushedRequests: true,
      idTokenAlgorithm: 'ES256',
      backchannelLogoutUri: 'https://app.example/ended',
    })
  })
})
