import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { Key, part, send, userinfo } from './proofs.ts'
import { callback, outcomeOf, Setting, verifier, type Tokens } from './setting.ts'

const grant = 'urn:ietf:params:oauth:grant-type:token-exchange'
const type = (name: string) => `urn:ietf:params:oauth:token-type:${name}`
const exchanging = `grants: [authorization_code, refresh_token, '${grant}'], consent: false, redirect_uris: ['${callback}']`

interface Exchanged extends Tokens {
  expires_in: number
  issued_token_type: string
}

describe('token exchange withstands', () => {
  let setting: Setting
  let parent: string
  let own: Tokens
  beforeAll(async () => {
    setting = await Setting.start('', [
      `{ id: site, secret: SECRET, require_pkce: false, ${exchanging}, scopes: [openid, offline_access, 'read:reports', 'read:mail'], audience: [reports] }`,
      `{ id: receiver, secret: SECRET, introspect: [reports], grants: ['${grant}'], audience: [mail], access_token_lifetime: 10m }`,
      `{ id: idle, secret: SECRET, introspect: [reports], grants: ['${grant}'] }`,
      `{ id: stranger, secret: SECRET, introspect: [mail], grants: ['${grant}'], audience: [mail] }`,
      `{ id: app, public: true, ${exchanging}, scopes: [openid, 'read:reports'], audience: [reports] }`,
    ])
    own = await tokens()
    parent = own.access_token
  }, 60_000)
  afterAll(() => setting?.stop())

  async function tokens(dpop?: string): Promise<Tokens> {
    const code = await setting.code({ client_id: 'site', scope: 'openid read:reports' })
    const form = { grant_type: 'authorization_code', code, redirect_uri: callback, code_verifier: verifier }
    return (await send(setting, 'site', form, { secret: setting.secret, dpop })).json<Tokens>()
  }
  const exchange = (client: string, form: Record<string, string>, dpop?: string) =>
    send(
      setting,
      client,
      { grant_type: grant, ...form },
      client === 'app' ? { dpop } : { secret: setting.secret, dpop },
    )
  const of = (token: string, more: Record<string, string> = {}) => ({
    ...{ subject_token: token, subject_token_type: type('access_token') },
    ...more,
  })
  const outcome = async (...given: Parameters<typeof exchange>) => outcomeOf(await exchange(...given))
  const got = async (...given: Parameters<typeof exchange>) => (await exchange(...given)).json<Exchanged>()

  test('no subject_token, an empty one, or no type: never for the client itself', async () => {
    const typed = { subject_token_type: type('access_token') }
    const incomplete: Record<string, string>[] = [{}, typed, { ...typed, subject_token: '' }, { subject_token: parent }]
    for (const form of incomplete) {
      expect(await outcome('site', form)).toBe('400 invalid_request')
    }
    expect(await outcome('site', of(parent, { subject_token_type: type('refresh_token') }))).toBe('400 invalid_request')
  })

  test('a subject_token that is garbage, another kind, expired or of another issuer', async () => {
    const foreign = await (await Key.make()).sign({ typ: 'at+jwt' }, { iss: 'https://idp.example', sub: 'x', aud: 'y' })
    const unsigned = `${part({ alg: 'none', typ: 'at+jwt' })}.${part({ iss: setting.at.issuerUrl, jti: 'x' })}.`
    const code = await setting.code({ client_id: 'site', scope: 'openid' })
    const garbage = ['x', `${parent}x`, parent.slice(0, -1), own.refresh_token, code, foreign, unsigned, 'eyJ.eyJ.x']
    for (const token of garbage) {
      for (const kind of ['access_token', 'jwt', 'id_token']) {
        const form = of(token, { subject_token_type: type(kind) })
        expect(await outcome('site', form)).toBe('400 invalid_request')
      }
    }
    const idToken = (own as unknown as { id_token: string }).id_token
    for (const kind of ['access_token', 'jwt', 'id_token']) {
      expect(await outcome('site', of(idToken, { subject_token_type: type(kind) }))).toBe('400 invalid_request')
    }
  })

  test('another client’s token, by whoever it was not sent to', async () => {
    for (const client of ['stranger', 'app']) expect(await outcome(client, of(parent))).toBe('400 invalid_request')
    expect(await outcome('idle', of(parent))).toBe('400 invalid_target')
  })

  test('more scope, another audience, the audience that it came for', async () => {
    expect(await outcome('site', of(parent, { scope: 'read:reports read:mail' }))).toBe('400 invalid_scope')
    expect(await outcome('site', of(parent, { resource: 'https://mail.example' }))).toBe('400 invalid_target')
    expect(await outcome('site', of(parent, { audience: 'mail' }))).toBe('400 invalid_target')
    expect(await outcome('receiver', of(parent, { resource: 'https://reports.example' }))).toBe('400 invalid_target')
    expect(await outcome('receiver', of(parent, { scope: 'read:mail' }))).toBe('400 invalid_scope')
    const { access_token: narrow } = await got('site', of(parent, { scope: 'read:reports' }))
    expect(await outcome('site', of(narrow, { scope: 'openid' }))).toBe('400 invalid_scope')
  })

  test('who would live longer than its parent', async () => {
    const fresh = await tokens()
    await new Promise((resolve) => setTimeout(resolve, 1_100))
    const child = await got('receiver', of(fresh.access_token))
    expect(child).toMatchObject({ scope: 'read:reports', issued_token_type: type('access_token') })
    expect(child).not.toHaveProperty('refresh_token')
    expect(child.expires_in).toBeLessThan(300)
    expect(child.expires_in).toBeGreaterThan(0)
  })

  test('who goes on when the parent is revoked, or its grant', async () => {
    for (const name of ['access_token', 'refresh_token'] as const) {
      const fresh = await tokens()
      const { access_token: child } = await got('site', of(fresh.access_token, { scope: 'read:reports' }))
      const { access_token: grandchild } = await got('site', of(child))
      expect(await setting.isActive(grandchild)).toBe(true)
      const form = { token: fresh[name] }
      await send(setting, 'site', form, { secret: setting.secret, path: '/oauth2/revoke' })
      for (const token of [child, grandchild]) {
        expect(await setting.isActive(token)).toBe(false)
        expect(await outcome('site', of(token))).toBe('400 invalid_request')
      }
    }
  })

  test('a resource server that would be the person at userinfo', async () => {
    expect((await userinfo(setting, `Bearer ${parent}`)).status).toBe(200)
    const { access_token: child } = await got('receiver', of(parent))
    expect((await userinfo(setting, `Bearer ${child}`)).status).toBe(403)
    expect(await outcome('receiver', of(parent, { scope: 'openid' }))).toBe('400 invalid_scope')
  })

  test('whoever has a bound token of its own, and not its key', async () => {
    const [key, thief] = [await Key.make(), await Key.make()]
    const { access_token: bound } = await tokens(await key.proof(setting, '/oauth2/token'))
    expect(await outcome('site', of(bound))).toBe('400 invalid_request')
    expect(await outcome('site', of(bound), await thief.proof(setting, '/oauth2/token'))).toBe('400 invalid_request')
    const child = await got('site', of(bound), await key.proof(setting, '/oauth2/token'))
    expect(child.token_type).toBe('DPoP')
    expect((await userinfo(setting, `Bearer ${child.access_token}`)).status).toBe(401)
  })

  test('an actor_token without its type, of somebody else, or one that is dead', async () => {
    const actor = { actor_token: parent, actor_token_type: type('access_token') }
    const fresh = await tokens()
    expect(await outcome('site', of(fresh.access_token, { actor_token: parent }))).toBe('400 invalid_request')
    expect(await outcome('site', of(fresh.access_token, { actor_token_type: type('jwt') }))).toBe('400 invalid_request')
    expect(await outcome('app', of(fresh.access_token, actor))).toBe('400 invalid_request')
    const dead = { ...actor, actor_token: 'cs_at_x' }
    expect(await outcome('site', of(fresh.access_token, dead))).toBe('400 invalid_request')
    expect((await exchange('site', of(fresh.access_token, actor))).status).toBe(200)
  })

  test('a type of token that the client cannot have, and ten thousand scopes', async () => {
    for (const name of ['refresh_token', 'id_token', 'jwt', 'saml2']) {
      expect(await outcome('site', of(parent, { requested_token_type: type(name) }))).toBe('400 invalid_request')
    }
    const scope = Array.from({ length: 10_000 }, (_, n) => `s${n}`)
      .join(' ')
      .slice(0, 50_000)
    expect(await outcome('site', of(parent, { scope }))).toBe('400 invalid_scope')
  })
})
