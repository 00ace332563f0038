import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ask, Visitor } from '@countersign/servers'
import { letIn } from '../clients/person.ts'
import { Key, send, userinfo } from './proofs.ts'
import { callback, challenge, person, Setting, verifier, type Tokens } from './setting.ts'

const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code'
const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const initialToken = 'an-initial-access-token-of-forty-characters'

describe('what is kept and told withstands whoever reads it', () => {
  let setting: Setting
  let key: Key
  beforeAll(async () => {
    key = await Key.make()
    const config = `registration: { enabled: true, initial_access_tokens: [${initialToken}], scopes: [openid] }`
    setting = await Setting.start(config, [
      `{ id: television, public: true, grants: ['${deviceGrant}', refresh_token], scopes: [openid], audience: [reports] }`,
      `{ id: keyed, auth_method: private_key_jwt, jwks: ${JSON.stringify({ keys: [key.jwk] })}, grants: [client_credentials], audience: [reports] }`,
    ])
  }, 60_000)
  afterAll(() => setting?.stop())

  /** Everything that was written, but for the configuration. */
  function written(): Buffer[] {
    const { folder } = setting.at.process
    const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    return files
      .filter((file) => file.isFile() && file.name !== 'countersign.yaml' && !file.name.endsWith('.key'))
      .map((file) => readFileSync(join(file.parentPath, file.name)))
  }

  /** Of people, with a code, refreshes, a pushed request and a device. */
  async function people(): Promise<Record<string, string>> {
    const state = 'a-state-that-is-nobody-elses'
    const code = await setting.code({ state, scope: 'openid offline_access read:reports' })
    const first = (await setting.redeem(code)).json<Tokens & { id_token: string }>()
    const second = (await setting.refresh(first.refresh_token)).json<Tokens>()
    await setting.refresh(first.refresh_token)
    await userinfo(setting, `Bearer ${second.access_token}`)
    const pushed = await send(
      setting,
      'server',
      {
        ...{ response_type: 'code', redirect_uri: callback, scope: 'openid', id_token_hint: first.id_token },
        ...{ code_challenge: challenge, code_challenge_method: 'S256' },
      },
      { secret: setting.secret, path: '/oauth2/par' },
    )
    expect(pushed.status).toBe(201)
    const begun = await send(setting, 'television', {}, { path: '/oauth2/device_authorization' })
    const device = begun.json<{ device_code: string; user_code: string }>()
    const page = await letIn(new Visitor(setting.at.issuerUrl), '/device', device.user_code)
    expect(page).toContain('Your device is connected')
    const waiting = await send(setting, 'television', {}, { path: '/oauth2/device_authorization' })
    const waits = waiting.json<{ device_code: string; user_code: string }>()
    const form = { grant_type: deviceGrant, device_code: device.device_code }
    const shown = (await send(setting, 'television', form)).json<Tokens>()
    const typed = 'a-password-in-the-wrong-field'
    const wrong = 'a wrong password'
    const stranger = new Visitor(setting.at.issuerUrl)
    await stranger.go('/login')
    await stranger.submit({ login_name: typed, password: wrong })
    return {
      ...{ code, verifier, password: person.password, typed, wrong },
      ...{ access: first.access_token, refresh: first.refresh_token, next: second.refresh_token },
      ...{ secondAccess: second.access_token, signature: first.id_token.split('.')[2]! },
      ...{ deviceCode: device.device_code, userCode: device.user_code, waitingCode: waits.device_code },
      ...{ waitingUserCode: waits.user_code, plainUserCode: waits.user_code.replace('-', '') },
      ...{ deviceAccess: shown.access_token, deviceRefresh: shown.refresh_token },
      ...Object.fromEntries([...setting.visitor.cookies].map(([name, value]) => [`cookie ${name}`, value])),
    }
  }

  /** Of clients: a secret, an assertion, a proof, a registration. */
  async function clients(): Promise<Record<string, string>> {
    const assertion = await key.assertion(setting, 'keyed')
    const proof = await key.proof(setting, '/oauth2/token')
    const form = { client_assertion_type: assertionType, client_assertion: assertion }
    const options = { dpop: proof }
    const reply = await send(setting, undefined, { grant_type: 'client_credentials', ...form }, options)
    const registered = await ask(`${setting.at.issuerUrl}/oauth2/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${initialToken}` },
      body: JSON.stringify({ redirect_uris: ['https://new.example/cb'] }),
    })
    const { client_secret: secret, registration_access_token: token } =
      registered.json<Record<'client_secret' | 'registration_access_token', string>>()
    return {
      ...{ secret: setting.secret, masterKey: setting.at.masterKey, initialToken },
      ...{ assertion, proof, machine: reply.json<Tokens>().access_token },
      ...{ registeredSecret: secret, registrationToken: token },
    }
  }

  test('the store, the journal and the log hold no credential, nor half of one', async () => {
    const secrets = { ...(await people()), ...(await clients()) }
    for (const [name, value] of Object.entries(secrets))
      expect([name, value?.length]).toEqual([name, expect.any(Number)])
    // The journal has what was told by then.
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    const files = written()
    expect(files.reduce((bytes, file) => bytes + file.length, 0)).toBeGreaterThan(100_000)
    // Finds what is there.
    expect(files.some((file) => file.includes('television'))).toBe(true)
    const found = Object.entries(secrets).filter(([, value]) => {
      const core = value.replace(/^cs_[a-z]+_/, '')
      const halves = core.length >= 40 ? [core.slice(0, core.length / 2), core.slice(core.length / 2)] : [core]
      const forms = halves.flatMap((half) => [half, Buffer.from(half).toString('base64')])
      return [...files, Buffer.from(setting.at.process.output)].some((file) =>
        forms.some((form) => file.includes(form)),
      )
    })
    expect(found.map(([name]) => name)).toEqual([])
  })
})
