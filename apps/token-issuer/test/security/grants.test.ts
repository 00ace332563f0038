import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { until, Visitor } from '@countersign/servers'
import { decodeJwt } from 'jose'
import { letIn } from '../clients/person.ts'
import { operator, operatorClient } from './operator.ts'
import { send, userinfo } from './proofs.ts'
import { callback, outcomeOf, person, Setting, verifier, type Tokens } from './setting.ts'

const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code'
const exchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange'
const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token'
const all = `grants: [authorization_code, refresh_token, client_credentials, '${deviceGrant}', '${exchangeGrant}'], consent: false, require_pkce: false, redirect_uris: ['${callback}'], scopes: [openid, offline_access, 'read:reports'], audience: [reports]`
const codeMs = 4_000

describe('every grant withstands', () => {
  let setting: Setting
  beforeAll(async () => {
    setting = await Setting.start(`lifetimes: { authorization_code: ${codeMs / 1_000}s }`, [
      operatorClient,
      '{ id: gate, secret: SECRET, introspect: [reports] }',
      ...['site', 'shop', 'shared'].map((id) => `{ id: ${id}, secret: SECRET, ${all} }`),
    ])
  }, 60_000)
  afterAll(() => setting?.stop())

  const ask = (client: string, form: Record<string, string>, path = '/oauth2/token') =>
    send(setting, client, form, { secret: setting.secret, path })
  const code = (client: string) => setting.code({ client_id: client, scope: 'openid offline_access read:reports' })
  const redeem = (client: string, given: string) =>
    ask(client, {
      ...{ grant_type: 'authorization_code', code: given, redirect_uri: callback },
      code_verifier: verifier,
    })

  interface Held {
    access: string
    subject: string
    /** What gets tokens, as it is now, if it does. */
    uses: Record<string, () => Promise<string>>
  }

  /** Everything that a client can have tokens by, in its hands and not used yet. */
  async function holding(client: string): Promise<Held> {
    const first = (await redeem(client, await code(client))).json<Tokens & { id_token: string }>()
    const second = (await redeem(client, await code(client))).json<Tokens>()
    const begun = await ask(client, {}, '/oauth2/device_authorization')
    const device = begun.json<{ device_code: string; user_code: string }>()
    await letIn(new Visitor(setting.at.issuerUrl), '/device', device.user_code)
    const unused = await code(client)
    const use = (form: Record<string, string>) => async () => outcomeOf(await ask(client, form))
    return {
      access: first.access_token,
      subject: decodeJwt(first.id_token).sub!,
      uses: {
        code: async () => outcomeOf(await redeem(client, unused)),
        refresh: use({ grant_type: 'refresh_token', refresh_token: first.refresh_token }),
        device: use({ grant_type: deviceGrant, device_code: device.device_code }),
        exchange: use({
          ...{ grant_type: exchangeGrant, subject_token: second.access_token, subject_token_type: accessTokenType },
        }),
      },
    }
  }

  const outcomes = async ({ uses }: Held) =>
    Object.fromEntries(await Promise.all(Object.entries(uses).map(async ([name, use]) => [name, await use()] as const)))
  const refused = {
    ...{ code: '400 invalid_grant', refresh: '400 invalid_grant', device: '400 invalid_grant' },
    exchange: '400 invalid_request',
  }

  async function disable(what: { $case: 'clientId' | 'subject'; value: string }): Promise<void> {
    const { calls, close } = operator(setting)
    expect((await calls.revoke({ what, disable: true })).revision).toMatch(/^\d+:/)
    close()
  }

  test('nothing, while nothing is disabled', async () => {
    const held = await holding('site')
    expect(await outcomes(held)).toEqual({ code: '200', refresh: '200', device: '200', exchange: '200' })
  })

  test('a disabled client: refused on every path, and what it had is dead', async () => {
    const held = await holding('shop')
    await disable({ $case: 'clientId', value: 'shop' })
    const machine = outcomeOf(await ask('shop', { grant_type: 'client_credentials' }))
    expect({ ...(await outcomes(held)), machine }).toEqual({
      ...{ ...refused, exchange: '401 invalid_client', machine: '401 invalid_client' },
    })
    expect(await setting.isActive(held.access)).toBe(false)
    expect((await userinfo(setting, `Bearer ${held.access}`)).status).toBe(401)
    // Nobody is sent back to it with a code.
    await setting.visitor.go(setting.url({ client_id: 'shop', scope: 'openid' }))
    expect(setting.visitor.reply.status).toBe(403)
    await setting.visitor.go('/login')
  })

  test('a disabled resource server: it is told nothing any more', async () => {
    const { access_token: token } = (await redeem('site', await code('site'))).json<Tokens>()
    const introspect = () => ask('gate', { token }, '/oauth2/introspect')
    expect((await introspect()).json()).toMatchObject({ active: true })
    await disable({ $case: 'clientId', value: 'gate' })
    await until(async () => (await introspect()).status === 401)
    expect(outcomeOf(await introspect())).toBe('401 invalid_client')
  })

  test('a code that is older than its lifetime', async () => {
    const old = await code('site')
    await new Promise((resolve) => setTimeout(resolve, codeMs + 100))
    expect(outcomeOf(await redeem('site', old))).toBe('400 invalid_grant')
  }, 15_000)

  // The last one: there is one person.
  test('a disabled person: refused on every path, signed out, and not let in again', async () => {
    const held = await holding('shared')
    await disable({ $case: 'subject', value: held.subject })
    expect(await outcomes(held)).toEqual(refused)
    expect(await setting.isActive(held.access)).toBe(false)
    expect((await userinfo(setting, `Bearer ${held.access}`)).status).toBe(401)
    const end = await setting.visitor.go(setting.url({ client_id: 'shared', scope: 'openid' }))
    expect(end).toContain('/login?request=')
    await setting.visitor.submit({ login_name: person.loginName, password: person.password })
    expect(setting.visitor.reply.status).toBe(403)
    expect(setting.visitor.url).not.toContain('code=')
  })
})
