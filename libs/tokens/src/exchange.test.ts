import { beforeEach, describe, expect, test } from '@jest/globals'
import { TokenKind, TokenRecord } from '@countersign/contracts/records'
import type { AccessToken } from './access-token.ts'
import { revokeToken } from './revoke.ts'
import { audiences, by, clients, ExchangeSetting, minute, now, type Over } from './testing/exchange-setting.ts'

describe('exchanging a token of ours', () => {
  let setting: ExchangeSetting
  let parent: AccessToken

  beforeEach(async () => {
    setting = await new ExchangeSetting().start()
    parent = await setting.given()
  })

  test('gives a token for the client’s own resources, on the same grant, that names what it came from', async () => {
    const { record } = await setting.exchanged('reports-api', parent)
    expect(record).toMatchObject({
      kind: TokenKind.ACCESS_TOKEN,
      grantId: 'g1',
      clientId: 'reports-api',
      audience: [audiences.mail],
      scope: 'read write',
      ancestors: [parent.digest],
      actors: [],
    })
  })

  test('tells one event, which has the fingerprint of the token it came from and no token', async () => {
    const { commit, access } = await setting.decide('reports-api', parent)
    expect(commit.events).toEqual([
      expect.objectContaining({
        type: 'token.exchanged',
        subject: 'alice',
        clientId: 'reports-api',
        grantId: 'g1',
        scopes: ['read', 'write'],
        attributes: { from: parent.digest.slice(0, 22) },
      }),
    ])
    const everything = JSON.stringify(commit) + Buffer.from(commit.puts[0]!.value).toString('latin1')
    for (const token of [parent, access]) expect(everything).not.toContain(token.opaque!.slice(6, 40))
  })

  test('narrows the scope and never widens it', async () => {
    expect((await setting.exchanged('web', parent, { scope: 'read' })).record.scope).toBe('read')
    for (const scope of ['admin', 'read admin', 'READ', 'read  write']) {
      expect(await setting.refusal('web', parent, { scope })).toBe('invalid_scope')
    }
    const narrow = await setting.exchanged('web', parent, { scope: 'read' })
    expect(await setting.refusal('web', narrow, { scope: 'write' })).toBe('invalid_scope')
    expect((await setting.exchanged('web', narrow)).record.scope).toBe('read')
  })

  test('opens userinfo to a resource server only where its own scopes say so', async () => {
    expect(await setting.refusal('reports-api', parent, { scope: 'openid' })).toBe('invalid_scope')
    expect((await setting.exchanged('web', parent, { scope: 'openid' })).record.scope).toBe('openid')
    expect((await setting.exchanged('people-api', parent)).record.scope).toBe('openid')
  })

  test('keeps to the scopes of the exchanging client where it has any', async () => {
    const forDisk = await setting.exchanged('mail-api', await setting.exchanged('reports-api', parent))
    expect((await setting.exchanged('disk-api', forDisk)).record.scope).toBe('read')
    expect(await setting.refusal('disk-api', forDisk, { scope: 'write' })).toBe('invalid_scope')
    expect(await setting.refusal('disk-api', forDisk, { scope: 'disk' })).toBe('invalid_scope')
    const writing = await setting.exchanged(
      'mail-api',
      await setting.exchanged('reports-api', parent, { scope: 'write' }),
    )
    expect(await setting.refusal('disk-api', writing)).toBe('invalid_scope')
  })

  test('is for resources of the client alone; its own token stays for what it was for', async () => {
    expect((await setting.exchanged('web', parent)).record.audience).toEqual([audiences.reports])
    const mail = { resources: [audiences.mail] }
    expect((await setting.exchanged('web', parent, mail)).record.audience).toEqual([audiences.mail])
    for (const resource of [audiences.disk, audiences.reports, 'mail', `${audiences.mail}/`]) {
      expect(await setting.refusal('reports-api', parent, { resources: [resource] })).toBe('invalid_target')
      expect(await setting.refusal('reports-api', parent, { resources: [audiences.mail, resource] })).toBe(
        'invalid_target',
      )
    }
  })

  test('gives a resource server without an audience nothing to use in the sender’s place', async () => {
    expect(await setting.refusal('idle-api', parent)).toBe('invalid_target')
    expect(await setting.refusal('idle-api', parent, { resources: [audiences.reports] })).toBe('invalid_target')
  })

  test('is good no longer than what it came from, than the actor’s token, or than the client’s tokens are', async () => {
    const middle = await setting.exchanged('reports-api', parent)
    expect(middle.record.expiresAt).toBe(parent.record.expiresAt)
    expect((await setting.exchanged('mail-api', middle)).record.expiresAt).toBe(now + 2 * minute)
    const short = { ...parent.record, expiresAt: now + minute }
    await setting.put({ ...parent.put, value: TokenRecord.encode(short).finish() })
    expect((await setting.exchanged('web', parent)).record.expiresAt).toBe(now + minute)
    const actor = await setting.presented(parent)
    expect((await setting.exchanged('web', await setting.given(), { actor })).record.expiresAt).toBe(now + minute)
  })

  test('takes tokens from whom they were issued to and from those they were sent to, and from nobody else', async () => {
    for (const clientId of ['web', 'reports-api', 'gateway'])
      expect(await setting.refusal(clientId, parent)).toBe('given')
    for (const clientId of ['mail-api', 'disk-api', 'loop'])
      expect(await setting.refusal(clientId, parent)).toBe('invalid_request')
    // Whoever knows its id can say that he is a public client.
    expect(await setting.refusal('native', parent)).toBe('invalid_request')
  })

  test('refuses what is expired, revoked or no access token', async () => {
    const presented = await setting.presented(parent)
    const { record } = presented.held.token
    const changed = (over: Partial<TokenRecord>): Over => {
      const token = { version: '', record: { ...record, ...over } }
      return { subject: { ...presented, held: { ...presented.held, token } } }
    }
    const kinds = [TokenKind.REFRESH_TOKEN, TokenKind.AUTHORIZATION_CODE, TokenKind.API_TOKEN, TokenKind.DEVICE_CODE]
    for (const over of [{ expiresAt: now }, { revokedAt: 1 }, ...kinds.map((kind) => ({ kind }))]) {
      expect(await setting.refusal('web', parent, changed(over))).toBe('invalid_request')
    }
    expect(await setting.refusal('web', parent, changed({ expiresAt: now + 1 }))).toBe('given')
  })

  test('is refused to a client that is disabled or gone here', async () => {
    await setting.putClient('reports-api', { disabledAt: 1 })
    expect(await setting.refusal('reports-api', parent)).toBe('invalid_client')
    expect(await setting.refusal('reports-api', parent, { clientRecord: undefined })).toBe('invalid_client')
  })

  test('conflicts when what it was decided from changes before it is written', async () => {
    const late = await setting.decide('reports-api', parent)
    const { held, parsed } = await setting.presented(parent)
    const place = { ...parsed, digest: parsed.recordDigest }
    await setting.store.commit(revokeToken({ held, parsed: place, client: clients.get('web')! }, by())!)
    expect(await setting.store.commit(late.commit)).toBe('conflict')
    const other = await setting.given()
    const later = await setting.decide('reports-api', other)
    await setting.putClient('reports-api', { epoch: 1 })
    expect(await setting.store.commit(later.commit)).toBe('conflict')
  })

  describe('with an actor', () => {
    test('names who acts now first, then who acted before', async () => {
      const asMachine = await setting.machine('reports-api')
      const middle = await setting.exchanged('reports-api', parent, { actor: asMachine })
      const last = await setting.exchanged('mail-api', middle, { actor: await setting.machine('mail-api') })
      expect(middle.record.actors).toEqual(['reports-api'])
      expect(last.record.actors).toEqual(['mail-api', 'reports-api'])
      expect((await setting.exchanged('disk-api', last)).record.actors).toEqual(['mail-api', 'reports-api'])
    })

    test('refuses an actor token that is dead, another’s, or acted with itself', async () => {
      const acting = await setting.machine('reports-api')
      const { held } = acting
      const token = { version: '', record: { ...held.token.record, revokedAt: 1 } }
      const dead = { ...acting, held: { ...held, token } }
      expect(await setting.refusal('reports-api', parent, { actor: dead })).toBe('invalid_request')
      expect(await setting.refusal('web', parent, { actor: acting })).toBe('invalid_request')
      const middle = await setting.exchanged('reports-api', parent, { actor: acting })
      expect(await setting.refusal('reports-api', parent, { actor: await setting.presented(middle) })).toBe(
        'invalid_request',
      )
    })
  })

  describe('that is bound to a key', () => {
    const key = { jkt: 'j'.repeat(43), x5tS256: '' }
    const another = { jkt: 'k'.repeat(43), x5tS256: '' }

    test('asks its own client for that key, and binds what it gives', async () => {
      const bound = await setting.given(key)
      expect(await setting.refusal('web', bound)).toBe('invalid_request')
      expect(await setting.refusal('web', bound, { confirmation: another })).toBe('invalid_request')
      expect((await setting.exchanged('web', bound, { confirmation: key })).record.confirmation).toEqual(key)
    })

    test('is taken from the resource server that it was sent to, for what that may call, bound to its own key if it has one', async () => {
      const bound = await setting.given(key)
      const free = await setting.exchanged('reports-api', bound)
      expect(free.record).toMatchObject({ audience: [audiences.mail], confirmation: undefined })
      expect((await setting.exchanged('reports-api', bound, { confirmation: another })).record.confirmation).toEqual(
        another,
      )
    })

    test('is asked of an actor’s token as well', async () => {
      const actor = await setting.presented(await setting.given(key))
      expect(await setting.refusal('web', parent, { actor })).toBe('invalid_request')
      expect(await setting.refusal('web', parent, { actor, confirmation: key })).toBe('given')
    })
  })
})
