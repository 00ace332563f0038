import { beforeEach, describe, expect, test } from '@jest/globals'
import { ConsentRecord } from '@countersign/contracts/records'
import { newCommitId } from '@countersign/store'
import { beginCommit, consentKey, grantPut, grantRecord } from '@countersign/tokens'
import { SubjectChange, type SessionName } from '@countersign/contracts/authorization'
import { limits } from '../limits.ts'
import { asker, World } from './testing/world.ts'

let world: World
let session: SessionName
beforeEach(async () => {
  world = await new World().open()
  session = (await world.signIn('anna')).name
})

const lasting = 'openid read offline_access'
const listed = async (of = session) => (await world.authorization.listApplications({ session: of })).applications
const names = async () => (await listed()).map(({ client }) => client!.name)
const withdraw = async (clientId: string, of = session) =>
  (await world.authorization.withdrawConsent({ session: of, clientId, asker })).revision
const isAsked = async (clientId: string, scope: string) => {
  const errand = { errand: { $case: 'requestId', value: await world.ask(clientId, scope) } } as const
  return (await world.authorization.continue({ errand, session, asker })).next!.next!.$case === 'consent'
}

describe('the applications of a person', () => {
  test('are those agreed to or granted to, by name, with what they may do in words', async () => {
    await world.tokens('web', session)
    world.at += 1_000
    await world.tokens('own', session, 'openid profile')
    await world.tokens('other', session, 'openid')
    const [web, other, own] = await listed()
    expect(web).toMatchObject({
      client: { id: 'web', name: 'A web application' },
      scopes: [
        { scope: 'openid', description: '' },
        { scope: 'read', description: 'Read reports' },
      ],
      givenAt: world.at - 1_000,
      grantedAt: world.at - 1_000,
    })
    expect(other).toMatchObject({ client: { id: 'other' }, givenAt: world.at })
    expect(own).toMatchObject({ client: { id: 'own' }, givenAt: 0, grantedAt: world.at })
    expect(await listed((await world.signIn('berta')).name)).toEqual([])
    expect(await listed(world.newSession())).toEqual([])
  })

  test('show a grant for as long as a token of it may be good', async () => {
    const there = (await world.signIn('anna')).name
    await world.tokens('own', there)
    await world.tokens('signed', there, lasting)
    expect(await names()).toEqual(['Our own', 'Signed'])
    await world.authorization.endSession({ session: there, other: '', asker })
    expect(await names()).toEqual(['Signed'])
    await world.change('anna', SubjectChange.SIGN_OUT)
    session = (await world.signIn('anna')).name
    expect(await names()).toEqual([])
    await world.tokens('own', session)
    world.at += 25 * 3_600_000
    session = (await world.signIn('anna')).name
    expect(await names()).toEqual([])
  })

  test('are found where a consent is of before consents were listed', async () => {
    const value = ConsentRecord.encode({
      clientId: 'web',
      subject: 'anna',
      scopes: ['openid', 'read'],
      givenAt: 7,
    }).finish()
    const commit = beginCommit({ commitId: newCommitId() }, 0)
    commit.puts.push({ key: consentKey(0, 'anna', 'web'), value })
    await world.inner.commit(commit)
    await world.tokens('web', session, 'openid')
    expect(await listed()).toMatchObject([
      { client: { id: 'web' }, scopes: [{ scope: 'openid' }, { scope: 'read' }], givenAt: 7 },
    ])
  })
})

describe('withdrawing a consent', () => {
  test('ends every grant of that application and person, and has it ask again', async () => {
    const [one, two] = [await world.tokens('web', session), await world.tokens('web', session, lasting)]
    const kept = await world.tokens('own', session)
    const berta = await world.signIn('berta')
    const hers = await world.tokens('web', berta.name)
    expect(await isAsked('web', lasting)).toBe(false)
    expect(await withdraw('web')).toMatch(/^0:\w+:3$/)
    for (const { access } of [one, two]) expect(await world.isLive(access)).toBe(false)
    await expect(world.refresh('web', two)).rejects.toThrow('invalid_grant')
    for (const { access } of [kept, hers]) expect(await world.isLive(access)).toBe(true)
    expect(await isAsked('web', 'openid')).toBe(true)
    expect(await names()).toEqual(['Our own'])
    expect(await listed(berta.name)).toMatchObject([{ client: { id: 'web' } }])
    const told = (await world.told()).filter(({ type }) =>
      ['consent.withdrawn', 'token.revoked', 'grant.revoked'].includes(type),
    )
    expect(told.map(({ type, subject, clientId, actor }) => `${type} ${subject} ${clientId} ${actor!.id}`)).toEqual([
      'consent.withdrawn anna web anna',
      'token.revoked anna web anna',
      'grant.revoked anna web anna',
      'grant.revoked anna web anna',
    ])
  })

  test('is done once, and is nothing for whoever has agreed to nothing', async () => {
    await world.tokens('web', session)
    expect(await withdraw('web')).not.toBe('')
    const events = (await world.told()).length
    expect(await withdraw('web')).toBe('')
    expect(await withdraw('own')).toBe('')
    expect(await withdraw('nobody')).toBe('')
    expect(await withdraw('web', world.newSession())).toBe('')
    expect(await world.told()).toHaveLength(events)
    await expect(withdraw('a b')).rejects.toMatchObject({ code: 'invalid_request' })
  })

  test('ends the grants of one that nobody is asked about, too', async () => {
    const { access } = await world.tokens('own', session)
    expect(await withdraw('own')).not.toBe('')
    expect(await world.isLive(access)).toBe(false)
    expect((await world.told()).map(({ type }) => type)).toContain('consent.withdrawn')
  })

  test('leaves no code behind that could still be redeemed', async () => {
    const code = await world.code('web', session)
    const other = await world.code('other', session)
    await withdraw('web')
    await expect(world.redeem('web', code)).rejects.toThrow('invalid_grant')
    expect(await world.isLive((await world.redeem('other', other)).access)).toBe(true)
  })

  test('gets every one of many grants, in steps', async () => {
    const many = limits.endedAtOnce + 1
    const tokens = []
    for (let n = 0; n < many; n++) tokens.push(await world.tokens('web', session))
    expect(await withdraw('web')).toMatch(new RegExp(`^0:\\w+:${many}$`))
    for (const { access } of tokens) expect(await world.isLive(access)).toBe(false)
    expect((await world.told()).filter(({ type }) => type === 'consent.withdrawn')).toHaveLength(1)
  })

  const putGrants = async (many: number, over: { id: string; revokedAt: number }) => {
    // They are listed by when they expire.
    const common = { clientId: 'web', subject: 'anna', expiresAt: world.at + 60_000, ...over }
    for (let from = 0; from < many; from += 200) {
      const commit = beginCommit({ commitId: newCommitId() }, 0)
      for (let n = from; n < Math.min(many, from + 200); n++) {
        commit.puts.push(grantPut(0, grantRecord({ ...common, id: `${over.id}${n}` })))
      }
      await world.inner.commit(commit)
    }
  }

  test('gets those, too, that ten thousand others stand before, which had ended', async () => {
    const early = await world.tokens('web', session)
    await putGrants(10_500, { id: '!ended', revokedAt: 1 })
    const late = await world.tokens('web', session, lasting)
    expect(await withdraw('web')).not.toBe('')
    for (const { access } of [early, late]) expect(await world.isLive(access)).toBe(false)
    expect((await world.told()).filter(({ type }) => type === 'grant.revoked')).toHaveLength(2)
  })

  test('says to ask again rather than that it is done, and then goes on', async () => {
    const most = limits.withdrawnPages * limits.logoutGrants.perPage
    await putGrants(most + 1, { id: '!open', revokedAt: 0 })
    const { access } = await world.tokens('web', session, lasting)
    await expect(withdraw('web')).rejects.toMatchObject({ code: 'unavailable', retryAfterSeconds: 1 })
    expect(await withdraw('web')).not.toBe('')
    expect(await world.isLive(access)).toBe(false)
    const revoked = (await world.told()).filter(({ type }) => type === 'grant.revoked')
    expect(new Set(revoked.map(({ grantId }) => grantId)).size).toBe(revoked.length)
    expect(await withdraw('web')).toBe('')
  })

  test('meets a request that goes on what was agreed to just before: it gets no code', async () => {
    await world.tokens('web', session)
    const errand = { errand: { $case: 'requestId', value: await world.ask('web') } } as const
    const { commit } = world.inner
    let isFirst = true
    Object.assign(world.inner, {
      commit: async (given: Parameters<typeof commit>[0]) => {
        const isCode = given.puts.some(({ key }) => key.startsWith('0:token/'))
        if (isFirst && isCode) {
          isFirst = false
          await withdraw('web')
        }
        return commit.call(world.inner, given)
      },
    })
    const { next } = await world.authorization.continue({ errand, session, asker })
    expect(next!.next!.$case).toBe('consent')
  })
})
