import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ask } from '@countersign/servers'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { userinfo } from './proofs.ts'
import { callback, outcomeOf, Setting, type Tokens } from './setting.ts'

const initialToken = 'an-initial-access-token-of-forty-characters'
const code = `redirect_uris: ['${callback}'], grants: [authorization_code, refresh_token], consent: false, scopes: [openid]`

/** Puts another master key in the place of the one that is, which becomes the previous one, and starts anew. */
async function replaceMasterKey({ at }: Setting): Promise<void> {
  const file = join(at.process.folder, 'countersign.yaml')
  const next = `master_key: ${randomBytes(24).toString('base64url')}\nprevious_master_key: ${at.masterKey}`
  writeFileSync(file, readFileSync(file, 'utf8').replace(`master_key: ${at.masterKey}`, next))
  await at.process.restart()
}

describe('while the master key is replaced', () => {
  let setting: Setting
  beforeAll(async () => {
    setting = await Setting.start(
      `lifetimes: { refresh_grace: 60s }
registration: { enabled: true, initial_access_tokens: [${initialToken}], scopes: [openid] }`,
      [
        `{ id: signed, public: true, access_token_format: jwt, ${code} }`,
        `{ id: discreet, public: true, subject_type: pairwise, ${code} }`,
      ],
    )
  }, 60_000)
  afterAll(() => setting?.stop())

  const pairwiseSubject = async () => {
    const tokens = await setting.tokens({ client_id: 'discreet', scope: 'openid' })
    return decodeJwt((tokens as Tokens & { id_token: string }).id_token).sub
  }

  test('what was issued before goes on: sessions, codes, tokens, repeats, keys, names and registrations', async () => {
    const first = await setting.tokens()
    const next = (await setting.refresh(first.refresh_token)).json<Tokens>()
    const signed = await setting.tokens({ client_id: 'signed', scope: 'openid' })
    const unused = await setting.code()
    const subject = await pairwiseSubject()
    const registering = await ask(`${setting.at.issuerUrl}/oauth2/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${initialToken}` },
      body: JSON.stringify({ redirect_uris: ['https://new.example/cb'] }),
    })
    const registered = registering.json<Record<'client_id' | 'registration_access_token', string>>()
    await replaceMasterKey(setting)

    expect((await userinfo(setting, `Bearer ${next.access_token}`)).status).toBe(200)
    expect((await userinfo(setting, `Bearer ${signed.access_token}`)).status).toBe(200)
    expect((await setting.redeem(unused)).status).toBe(200)
    expect(await pairwiseSubject()).toBe(subject)
    const repeated = (await setting.refresh(first.refresh_token)).json<Tokens>()
    expect(repeated.refresh_token === next.refresh_token).toBe(true)
    expect(repeated.access_token === next.access_token).toBe(true)
    expect(outcomeOf(await setting.refresh(next.refresh_token))).toBe('200')
    const after = await setting.tokens({ client_id: 'signed', scope: 'openid' })
    const kidOf = ({ access_token: token }: Tokens) => decodeProtectedHeader(token).kid
    expect(kidOf(after)).toBe(kidOf(signed))
    const { client_id: id, registration_access_token: token } = registered
    const read = await setting.send(`/oauth2/register/${id}`, { headers: { authorization: `Bearer ${token}` } })
    expect(read.status).toBe(200)
  }, 30_000)
})
