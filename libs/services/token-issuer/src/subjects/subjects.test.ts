import { beforeEach, describe, expect, test } from '@jest/globals'
import { SubjectChange, type SessionName } from '@countersign/contracts/authorization'
import { ActorKind } from '@countersign/contracts/events'
import { SubjectRecord } from '@countersign/contracts/records'
import { newCommitId } from '@countersign/store'
import {
  beginCommit,
  consentKey,
  sessionKey,
  subjectCodes,
  subjectConsents,
  subjectGrants,
  subjectKey,
  subjectSessions,
} from '@countersign/tokens'
import { asker, World, type Tokens } from './testing/world.ts'

const { DISABLE, ENABLE, SIGN_OUT, DELETE, SET_ROLES, UNSPECIFIED } = SubjectChange

let world: World
let session: SessionName
let tokens: Tokens
beforeEach(async () => {
  world = await new World(2).open()
  session = (await world.signIn('anna', { roles: ['reader'] })).name
  tokens = await world.tokens('web', session, 'openid read offline_access')
})

const revisionOf = async (...given: Parameters<World['change']>) => (await world.change(...given)).revision
const accountEvents = async (partition = 0) =>
  (await world.told(partition)).filter(({ type }) => type.startsWith('account.'))
const subjectOf = (subject = 'anna', partition = 0) => world.authorization.getSubject({ partition, subject })

describe('disabling a person', () => {
  test('ends everything, lets nobody sign in, and is told of the operator who did', async () => {
    const code = await world.code('web', session)
    expect(await revisionOf('anna', DISABLE, { reason: 'left the company' })).toMatch(/^0:\w+:1$/)
    expect([await world.isSignedIn(session), await world.isLive(tokens.access)]).toEqual([false, false])
    await expect(world.refresh('web', tokens)).rejects.toThrow('invalid_grant')
    await expect(world.redeem('web', code)).rejects.toThrow('invalid_grant')
    await expect(world.signIn('anna')).rejects.toMatchObject({ code: 'access_denied' })
    expect(await accountEvents()).toMatchObject([
      {
        type: 'account.disabled',
        subject: 'anna',
        reason: 'left the company',
        actor: { kind: ActorKind.OPERATOR, id: 'cli', address: asker.address },
      },
    ])
    expect(await revisionOf('anna', DISABLE)).toBe('')
    expect(await accountEvents()).toHaveLength(1)
  })

  test('can be taken back, and what ended stays ended', async () => {
    await world.change('anna', DISABLE)
    await world.change('anna', ENABLE, { asker })
    expect([await world.isSignedIn(session), await world.isLive(tokens.access)]).toEqual([false, false])
    expect((await world.signIn('anna')).response.session).toBeDefined()
    expect((await accountEvents()).map(({ type, actor }) => `${type} ${actor!.id}`)).toEqual([
      'account.disabled cli',
      'account.enabled anna',
    ])
    expect(await revisionOf('anna', ENABLE)).toBe('')
  })

  test('is for somebody who never signed in, too, in their partition', async () => {
    expect(await revisionOf('berta', DISABLE, { partition: 1 })).toMatch(/^1:/)
    await expect(world.signIn('berta', { session: world.newSession(1) })).rejects.toMatchObject({
      code: 'access_denied',
    })
    expect(await subjectOf('berta', 1)).toMatchObject({ disabledAt: world.at, deletedAt: 0 })
    await world.change('berta', ENABLE, { partition: 1 })
    expect((await world.signIn('berta', { session: world.newSession(1) })).response.session).toBeDefined()
  })
})

describe('signing a person out', () => {
  test('ends every session and every token', async () => {
    await world.change('anna', SIGN_OUT)
    expect([await world.isSignedIn(session), await world.isLive(tokens.access)]).toEqual([false, false])
    expect(await revisionOf('nobody', SIGN_OUT)).toBe('')
    expect(await world.has(subjectKey(0, 'nobody'))).toBe(false)
  })

  test('but for one session ends every token all the same', async () => {
    const there = (await world.signIn('anna', { roles: ['reader'] })).name
    const theirs = await world.tokens('own', there)
    const code = await world.code('web', session)
    expect(await revisionOf('anna', SIGN_OUT, { except: session, asker })).not.toBe('')
    expect([await world.isSignedIn(session), await world.isSignedIn(there)]).toEqual([true, false])
    for (const { access } of [tokens, theirs]) expect(await world.isLive(access)).toBe(false)
    await expect(world.redeem('web', code)).rejects.toThrow('invalid_grant')
    expect((await world.authorization.listApplications({ session })).applications).toMatchObject([
      { client: { id: 'web' }, grantedAt: 0 },
    ])
    expect(await world.isLive((await world.tokens('web', session)).access)).toBe(true)
    expect(await subjectOf()).toMatchObject({ standings: [{ roles: ['reader'] }] })
  })

  test('keeps nothing of anybody else, nor a session that is over', async () => {
    const berta = (await world.signIn('berta')).name
    const hers = await world.tokens('own', berta)
    await world.change('anna', SIGN_OUT, { except: berta })
    expect([await world.isSignedIn(session), await world.isSignedIn(berta)]).toEqual([false, true])
    expect(await world.isLive(hers.access)).toBe(true)
    const ended = (await world.signIn('anna')).name
    await world.authorization.endSession({ session: ended, other: '', asker })
    await world.change('anna', SIGN_OUT, { except: ended })
    expect(await world.isSignedIn(ended)).toBe(false)
  })
})

describe('the roles of an account', () => {
  test('become what is said, and tokens tell of it', async () => {
    expect(await revisionOf('anna', SET_ROLES, { roles: ['b', 'a', 'b'] })).toMatch(/^0:\w+:1$/)
    expect(await world.introspect(tokens.access)).toMatchObject({ roles: ['a', 'b', 'reader'] })
    expect(await world.facts()).toEqual([{ kind: 'subject', id: 'anna' }])
    expect(await revisionOf('anna', SET_ROLES, { roles: ['a', 'b'] })).toBe('')
    await world.change('anna', SET_ROLES, { roles: ['a'] })
    expect(await accountEvents()).toMatchObject([
      { type: 'account.roles_changed', attributes: { added: '["a","b"]', removed: '[]' } },
      { type: 'account.roles_changed', attributes: { added: '[]', removed: '["b"]' } },
    ])
    await expect(world.change('anna', SET_ROLES, { roles: [''] })).rejects.toMatchObject({ code: 'invalid_request' })
  })

  test('wait for somebody who never signed in', async () => {
    await world.change('berta', SET_ROLES, { roles: ['admin'] })
    expect(await subjectOf('berta')).toMatchObject({ roles: ['admin'], standings: [] })
    const { access } = await world.tokens('web', (await world.signIn('berta')).name)
    expect(await world.introspect(access)).toMatchObject({ roles: ['admin'] })
  })
})

describe('deleting a person', () => {
  test('leaves nothing but that there was somebody, and their tokens dead', async () => {
    await world.code('web', session)
    await world.change('anna', SET_ROLES, { roles: ['admin'] })
    expect(await revisionOf('anna', DELETE)).not.toBe('')
    const [entry] = await world.inner.get([subjectKey(0, 'anna')])
    const { epoch, ...rest } = SubjectRecord.decode(entry!.value)
    expect(rest).toEqual({ id: 'anna', roles: [], standings: [], disabledAt: world.at, deletedAt: world.at })
    expect(epoch).toBe(1)
    for (const listing of [subjectCodes, subjectGrants, subjectSessions, subjectConsents]) {
      expect((await world.inner.list(listing(0, 'anna'), { limit: 10 })).entries).toEqual([])
    }
    expect(await world.has(sessionKey(0, session.id))).toBe(false)
    expect(await world.has(consentKey(0, 'anna', 'web'))).toBe(false)
    expect(await world.isLive(tokens.access)).toBe(false)
    await expect(world.refresh('web', tokens)).rejects.toThrow('invalid_grant')
    expect((await accountEvents()).map(({ type }) => type)).toEqual(['account.roles_changed', 'account.deleted'])
  })

  test('is for good', async () => {
    await world.change('anna', DELETE)
    for (const change of [ENABLE, SET_ROLES]) {
      await expect(world.change('anna', change)).rejects.toMatchObject({ code: 'not_found' })
    }
    await expect(world.signIn('anna')).rejects.toMatchObject({ code: 'access_denied' })
    for (const change of [DISABLE, DELETE]) expect(await revisionOf('anna', change)).toBe('')
    expect(await accountEvents()).toHaveLength(1)
    await world.change('berta', DELETE)
    await expect(world.signIn('berta')).rejects.toMatchObject({ code: 'access_denied' })
  })

  test('of somebody disabled is told, and goes on where it was cut off', async () => {
    await world.change('anna', DISABLE)
    const { list } = world.inner
    Object.assign(world.inner, { list: () => Promise.reject(new Error('cut off')) })
    await expect(world.change('anna', DELETE)).rejects.toThrow('cut off')
    Object.assign(world.inner, { list })
    await world.change('anna', DELETE)
    expect((await world.inner.list(subjectGrants(0, 'anna'), { limit: 10 })).entries).toEqual([])
    expect((await world.told()).filter(({ type }) => type === 'account.deleted')).toHaveLength(1)
  })

  test('finds a consent of before consents were listed', async () => {
    const key = consentKey(0, 'anna', 'web')
    const [entry] = await world.inner.get([key])
    for (const act of [{ deletes: [key] }, { puts: [{ key, value: entry!.value }] }]) {
      await world.inner.commit({ ...beginCommit({ commitId: newCommitId() }, 0), ...act })
    }
    await world.change('anna', DELETE)
    expect(await world.has(key)).toBe(false)
  })
})

test.each([
  ['nothing', { change: UNSPECIFIED }],
  ['a partition that there is not', { partition: 2 }],
  ['an empty id', { subject: '' }],
  ['an id with a space', { subject: 'a b' }],
  ['a reason of two lines', { reason: 'a\nb' }],
  ['a reason that is too long', { reason: 'x'.repeat(257) }],
])('changes nothing for %s', async (_name, over) => {
  await expect(world.change('anna', DISABLE, over)).rejects.toMatchObject({ code: 'invalid_request' })
  expect(await world.isSignedIn(session)).toBe(true)
})

test('of nobody in particular nothing is known', async () => {
  expect(await subjectOf('nobody')).toEqual({ roles: [], standings: [], disabledAt: 0, deletedAt: 0 })
  await expect(subjectOf('a b')).rejects.toMatchObject({ code: 'invalid_request' })
})
