import { beforeEach, describe, expect, test } from '@jest/globals'
import { ClientRecord, LogoutNoticeRecord } from '@countersign/contracts/records'
import { clientKey } from '@countersign/tokens'
import { limits } from '../limits.ts'
import { logoutNotices } from './notices.ts'
import { World } from './testing/world.ts'

const told = { id: 'told', public: true, grants: ['refresh_token'], backchannelLogoutUri: 'https://told.example/out' }
const silent = { id: 'silent', public: true }

let world: World
beforeEach(async () => {
  world = await new World([told, silent], 3).open()
})

const notices = async (partition = 0) =>
  (await world.store.list(logoutNotices(partition), { limit: 1_000 })).entries.map(({ value }) =>
    LogoutNoticeRecord.decode(value),
  )
const facts = async (partition: number) => (await world.store.facts(partition, undefined)).revision.split(':')[2]

describe('the end of a session', () => {
  test('has each application that wants to know it told once, and only of that session', async () => {
    const [here, elsewhere] = [await world.signIn('anna', 1), await world.signIn('anna', 1)]
    for (const browser of [here, here, elsewhere]) await world.grant('told', browser)
    await world.grant('silent', here)
    await world.endings.session(here, 'signed_out', world.by())
    expect(await notices(1)).toMatchObject([
      {
        clientId: 'told',
        uri: told.backchannelLogoutUri,
        subject: 'anna',
        sessionId: here.session.record.id,
        attempts: 0,
      },
    ])
    expect(world.woken).toEqual([1])
    expect(await world.endings.session(here, 'signed_out', world.by())).toBeUndefined()
    expect(await world.isSignedIn(elsewhere)).toBe(true)
  })

  test('ends those before it in the same browser, and tells each of their applications', async () => {
    const first = await world.signIn('anna')
    await world.grant('told', first)
    const second = await world.signIn('anna', 0, first)
    for (let n = 0; n < 2; n++) await world.grant('told', second)
    await world.endings.session(second, 'signed_out', world.by())
    expect([await world.isSignedIn(first), await world.isSignedIn(second)]).toEqual([false, false])
    const sessions = (await notices()).map(({ sessionId }) => sessionId)
    expect(sessions.toSorted()).toEqual([first, second].map(({ session }) => session.record.id).toSorted())
  })

  test('finds an application behind more grants than are read at once', async () => {
    const browser = await world.signIn('anna')
    for (let n = 0; n < limits.logoutGrants.perPage; n++) await world.grant('silent', browser)
    world.at += 1_000
    await world.grant('told', browser)
    await world.endings.session(browser, 'signed_out', world.by())
    expect(await notices()).toMatchObject([{ clientId: 'told' }])
  })

  test('wakes nobody where nobody is to be told', async () => {
    const browser = await world.signIn('anna')
    await world.grant('silent', browser)
    const grant = await world.grant('told', browser)
    await world.endings.grant(0, grant.id, 'revoked', world.by())
    await world.endings.session(browser, 'signed_out', world.by())
    expect([await notices(), world.woken]).toEqual([[], []])
  })
})

test('the end of all sessions of a person is told for each of them, but not for more than there is room for', async () => {
  for (let n = 0; n < 2; n++) await world.grant('told', await world.signIn('anna'))
  await world.endings.subject(0, 'anna', { as: 'signed_out', reason: 'x' }, world.by())
  const sessions = (await notices()).map(({ sessionId }) => sessionId)
  expect(new Set(sessions).size).toBe(2)
  for (let n = 0; n < limits.logoutNotices; n++) await world.grant('told', await world.signIn('berta'))
  await world.grant('told', await world.signIn('berta'))
  await world.endings.subject(0, 'berta', { as: 'disabled', reason: 'x' }, world.by())
  expect(await notices()).toHaveLength(2 + limits.logoutNotices)
})

test('the end of a client’s tokens is written in every partition', async () => {
  const committed = await world.endings.client('told', { disable: true, reason: 'x' }, world.by())
  expect(committed.map(({ revision }) => revision.split(':')[0])).toEqual(['0', '1', '2'])
  for (const partition of [0, 1, 2]) {
    const [entry] = await world.store.get([clientKey(partition, 'told')])
    expect(ClientRecord.decode(entry!.value)).toMatchObject({ epoch: 1, disabledAt: world.at })
    expect(await facts(partition)).toBe('1')
  }
  expect((await world.told()).filter(({ type }) => type === 'client.changed')).toHaveLength(1)
})
