import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import { accountKey, accountRemains, decodeAccount, decodeAccountIndex, identityKey } from '@countersign/accounts'
import { AccountRecord, GrantRecord } from '@countersign/contracts/records'
import { newCommitId, type Commit, type Key } from '@countersign/store'
import { subjectGrants, type Introspection } from '@countersign/tokens'
import { accessTokenType, audiences, exchangeType, ExchangeSetting, partitions } from '../testing/exchange-setting.ts'
import { Upstream } from '../testing/upstream.ts'
import { placeOfIdentity } from './identity.ts'

const subject = 'f2a3c1de-93f4-4a56-8c07-0c8ab0f0f6a1'

describe('a token for somebody of another issuer', () => {
  let setting: ExchangeSetting
  let upstream: Upstream

  beforeEach(async () => {
    upstream = await new Upstream().start()
    setting = await new ExchangeSetting().start()
    setting.providers = [
      { id: 'partner', issuer: upstream.issuer, signUp: true, tokenExchange: { audience: ['account'] } },
    ]
  })

  afterEach(() => upstream.stop())

  const exchange = async (
    clientId = 'web',
    claims: Record<string, unknown> = {},
    over: Record<string, string> = {},
  ) => {
    const subject_token = await upstream.token(setting.at, claims)
    return setting.exchange(clientId, { subject_token, subject_token_type: accessTokenType, ...over })
  }
  const told = async (token: string) => (await setting.introspect(token)) as Introspection & { active: true }
  const indexed = async (sub = subject) => {
    const [entry] = await setting.store.get([identityKey({ issuer: upstream.issuer, subject: sub })])
    return entry && decodeAccountIndex(entry.value)
  }
  const types = async () => (await setting.events()).map(({ type }) => type)

  test('is of an account of ours, made at the first exchange and found by issuer and subject ever after', async () => {
    const first = await exchange()
    expect(first).toMatchObject({
      status: 200,
      body: { issued_token_type: accessTokenType, scope: 'openid read write' },
    })
    expect(first.body).not.toHaveProperty('refresh_token')
    expect(first.body).not.toHaveProperty('id_token')
    const place = (await indexed())!
    const { sub } = await told(first.body.access_token)
    expect(sub).toBe(place.accountId)
    expect((await told((await exchange('native')).body.access_token)).sub).toBe(sub)
    expect((await types()).filter((type) => type === 'account.created')).toHaveLength(1)
    expect((await told((await exchange('web', { sub: 'another' })).body.access_token)).sub).not.toBe(sub)
  })

  test('is never of somebody who has the same email address or name', async () => {
    await exchange()
    const [entry] = await setting.store.get([accountKey((await indexed())!.partition, (await indexed())!.accountId)])
    expect(decodeAccount(entry!.value)).toMatchObject({ loginName: '', passwordHash: '', claims: '{}' })
    const other = await new Upstream().start()
    try {
      setting.providers = [
        ...setting.providers,
        { id: 'other', issuer: other.issuer, signUp: true, tokenExchange: { audience: ['account'] } },
      ]
      const same = await setting.exchange('web', {
        subject_token: await other.token(setting.at),
        subject_token_type: accessTokenType,
      })
      expect((await told(same.body.access_token)).sub).not.toBe((await indexed())!.accountId)
    } finally {
      await other.stop()
    }
  })

  test('is of one account, however many exchange at once for the first time', async () => {
    const answers = await Promise.all(Array.from({ length: 12 }, () => exchange()))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    const subjects = await Promise.all(answers.map(async ({ body }) => (await told(body.access_token)).sub))
    expect(new Set(subjects)).toEqual(new Set([(await indexed())!.accountId]))
    expect((await types()).filter((type) => type === 'account.created')).toHaveLength(1)
  })

  test('heals what a crash between the two commits left', async () => {
    const commit = setting.store.commit.bind(setting.store)
    let isIndexed = false
    const crashing = (each: Commit) => {
      if (isIndexed) return Promise.reject(new Error('crash'))
      isIndexed = true
      return commit(each)
    }
    Object.assign(setting.store, { commit: crashing })
    expect((await exchange()).status).toBe(500)
    Object.assign(setting.store, { commit })
    const left = (await indexed())!
    const { body } = await exchange()
    expect((await told(body.access_token)).sub).toBe(left.accountId)
    expect((await types()).filter((type) => type === 'account.created')).toHaveLength(1)
  })

  const closings = [{ signUp: false }, { emailDomains: ['example.org'] }]
  test.each(closings)('makes no account for anybody where the provider has %j', async (closing) => {
    setting.providers = setting.providers.map((provider) => ({ ...provider, ...closing }))
    const { status, body } = await exchange()
    expect(status).toBe(400)
    expect(body).toEqual({ error: 'invalid_request', error_description: expect.stringContaining('sign in first') })
    expect(await indexed()).toBeUndefined()
    expect(await types()).toEqual(['key.rotated'])
  })

  test.each(closings)('is still of whoever has an account, where the provider has %j', async (closing) => {
    const { sub } = await told((await exchange()).body.access_token)
    setting.providers = setting.providers.map((provider) => ({ ...provider, ...closing }))
    expect((await told((await exchange()).body.access_token)).sub).toBe(sub)
  })

  test('is of nobody whose account was begun and never made, or deleted, where no account is made', async () => {
    const identity = { issuer: upstream.issuer, subject }
    const common = { now: () => setting.at, commitId: newCommitId, randomBytes }
    const { partition, accountId: id } = await placeOfIdentity({ ...setting, ...common, partitions }, identity)
    setting.providers = setting.providers.map((provider) => ({ ...provider, signUp: false }))
    expect((await exchange()).body.error).toBe('invalid_request')
    setting.providers = setting.providers.map((provider) => ({ ...provider, signUp: true }))
    await exchange()
    setting.providers = setting.providers.map((provider) => ({ ...provider, signUp: false }))
    expect((await exchange()).status).toBe(200)
    const remains = accountRemains({ id, partition }, setting.at)
    const read = setting.store.get.bind(setting.store)
    // It is deleted once its place was found.
    let looks = 0
    const get = async (keys: readonly Key[]) => {
      if (keys.includes(remains.key) && ++looks === 2) await setting.put(partition, remains)
      return read([...keys])
    }
    Object.assign(setting.store, { get })
    expect((await exchange()).body.error).toBe('invalid_request')
    expect(looks).toBeGreaterThanOrEqual(2)
    expect((await exchange()).body.error).toBe('invalid_request')
    expect((await types()).filter((type) => type === 'account.created')).toHaveLength(1)
  })

  test('ends with the upstream’s token, or with the client’s lifetime', async () => {
    const now = Math.floor(setting.at / 1_000)
    expect((await exchange('web', { exp: now + 60 })).body.expires_in).toBeLessThanOrEqual(60)
    expect((await exchange('web', { exp: now + 86_400 })).body.expires_in).toBe(600)
  })

  test('hangs on a grant of its own, without a session, that ends with it', async () => {
    const now = Math.floor(setting.at / 1_000)
    const { body } = await exchange('web', { exp: now + 60 })
    const { partition, accountId } = (await indexed())!
    const { entries } = await setting.store.list(subjectGrants(partition, accountId), { limit: 10 })
    const [grant] = entries.map(({ value }) => GrantRecord.decode(value))
    expect(grant).toMatchObject({
      clientId: 'web',
      subject: accountId,
      sessionId: '',
      browserSessionId: '',
      origin: exchangeType,
      expiresAt: (now + 60) * 1_000,
      audience: [audiences.reports, audiences.mail],
    })
    await setting.putSubject(partition, accountId, { epoch: 1 })
    expect(await setting.introspect(body.access_token)).toEqual({ active: false })
    expect((await told((await exchange()).body.access_token)).sub).toBe(accountId)
  })

  test('has no more than the client may have', async () => {
    expect((await exchange('web', {}, { scope: 'read' })).body.scope).toBe('read')
    expect((await exchange('web', {}, { scope: 'email' })).body.error).toBe('invalid_scope')
    expect((await exchange('web', {}, { resource: 'https://evil.example' })).body.error).toBe('invalid_target')
    expect((await told((await exchange('web', {}, { audience: 'mail' })).body.access_token)).aud).toEqual([
      audiences.mail,
    ])
  })

  test('is refused to a disabled person and to a disabled client', async () => {
    await exchange()
    const { partition, accountId } = (await indexed())!
    await setting.putSubject(partition, accountId, { disabledAt: 1 })
    expect((await exchange()).body.error).toBe('invalid_request')
    await setting.putSubject(partition, accountId)
    const key = accountKey(partition, accountId)
    const [entry] = await setting.store.get([key])
    const disabled = { ...decodeAccount(entry!.value)!, disabledAt: 1 }
    await setting.put(partition, { key, value: AccountRecord.encode(disabled).finish() })
    expect((await exchange()).body.error).toBe('invalid_request')
    await setting.put(partition, { key, value: entry!.value })
    expect((await exchange()).status).toBe(200)
    await setting.putClient('web', { disabledAt: 1 })
    expect(await exchange()).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
  })

  test('is told by events that have neither token nor who the person is elsewhere', async () => {
    const subject_token = await upstream.token(setting.at)
    const { body } = await setting.exchange('web', { subject_token, subject_token_type: accessTokenType })
    const events = await setting.events()
    const { accountId } = (await indexed())!
    expect(events.filter(({ clientId }) => clientId === 'web')).toMatchObject([
      { type: 'grant.created', subject: accountId, reason: exchangeType },
      {
        type: 'token.exchanged',
        subject: accountId,
        attributes: { provider: 'partner', issuer: upstream.issuer, from: expect.stringMatching(/^[\w-]{22}$/) },
      },
    ])
    const text = JSON.stringify(events)
    for (const part of [...subject_token.split('.'), body.access_token.slice(6, 40), subject, 'alice']) {
      expect(text).not.toContain(part)
    }
  })

  test('names an actor, and ends with the actor’s token', async () => {
    const actor_token = await setting.given({ subject: '', clientId: 'web' })
    setting.at += 590_000
    const { body } = await exchange('web', {}, { actor_token, actor_token_type: accessTokenType })
    expect(body.expires_in).toBeLessThanOrEqual(10)
    expect((await told(body.access_token)).actors).toEqual(['web'])
  })

  test('tells a pairwise client a subject of its own', async () => {
    const { sub } = await told((await exchange('paired')).body.access_token)
    const { accountId } = (await indexed())!
    expect(sub).toMatch(/^[\w-]{43}$/)
    expect(sub).not.toBe(accountId)
    expect((await told((await exchange('paired')).body.access_token)).sub).toBe(sub)
  })

  test('is not given by a commit that a disabling overtook', async () => {
    await exchange()
    const { partition, accountId } = (await indexed())!
    const commit = setting.store.commit.bind(setting.store)
    let overtaken = false
    Object.assign(setting.store, {
      commit: async (each: Commit) => {
        if (!overtaken) {
          overtaken = true
          Object.assign(setting.store, { commit })
          await setting.putSubject(partition, accountId, { disabledAt: 1 })
        }
        return commit(each)
      },
    })
    expect((await exchange()).body.error).toBe('invalid_request')
  })
})
