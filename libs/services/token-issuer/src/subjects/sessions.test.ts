import { beforeEach, describe, expect, test } from '@jest/globals'
import { limits } from '../limits.ts'
import { asker, World } from './testing/world.ts'

let world: World
beforeEach(async () => {
  world = await new World().open()
})

const hourMs = 3_600_000
const listed = async (session: { partition: number; id: string }) =>
  (await world.authorization.listSessions({ session })).sessions
const end = async (session: { partition: number; id: string }, other: string) =>
  (await world.authorization.endSession({ session, other, asker })).revision

describe('the sessions of a person', () => {
  test('are listed newest first, with the device and the provider that each began with', async () => {
    const here = await world.signIn('anna')
    world.at += 1_000
    const device = { ...asker, address: '2001:db8::1', userAgent: 'x'.repeat(300) }
    const there = await world.signIn('anna', { provider: 'hub', amr: ['hwk'], asker: device })
    await world.signIn('berta')
    expect(await listed(here.name)).toEqual([
      {
        id: there.name.id,
        isCurrent: false,
        provider: 'hub',
        userAgent: 'x'.repeat(256),
        address: '2001:db8::1',
        startedAt: world.at,
        usedAt: world.at,
        expiresAt: world.at + 12 * hourMs,
        amr: ['hwk'],
      },
      expect.objectContaining({ id: here.name.id, isCurrent: true, provider: 'staff', userAgent: 'Firefox' }),
    ])
    expect(here.response.session!.provider).toBe('staff')
  })

  test('are those that a browser may still use', async () => {
    const ended = await world.signIn('anna')
    const replaced = await world.signIn('anna')
    const idle = await world.signIn('anna')
    world.at += hourMs - 1
    const here = await world.signIn('anna', { previous: replaced.name })
    await world.authorization.endSession({ session: ended.name, other: '', asker })
    expect((await listed(here.name)).map(({ id }) => id).toSorted()).toEqual([idle.name.id, here.name.id].toSorted())
    world.at += 1
    expect((await listed(here.name)).map(({ id }) => id)).toEqual([here.name.id])
    expect(await listed(idle.name)).toEqual([])
    expect(await listed(world.newSession())).toEqual([])
  })

  test('are a hundred at most, and the one that asks is among them', async () => {
    const here = await world.signIn('anna')
    for (let n = 0; n < limits.sessionsShown; n++) {
      world.at += 1
      await world.signIn('anna')
    }
    const sessions = await listed(here.name)
    expect(sessions).toHaveLength(limits.sessionsShown)
    expect(sessions.at(-1)).toMatchObject({ id: here.name.id, isCurrent: true })
    expect(sessions[0]!.startedAt).toBe(world.at)
  })
})

describe('ending another session', () => {
  test('is of the same person’s only, and takes what hangs on it', async () => {
    const [here, there, stranger] = [
      await world.signIn('anna'),
      await world.signIn('anna'),
      await world.signIn('berta'),
    ]
    const { access } = await world.tokens('web', there.name)
    const { access: mine } = await world.tokens('web', here.name)
    expect(await end(here.name, stranger.name.id)).toBe('')
    expect(await world.isSignedIn(stranger.name)).toBe(true)
    expect(await end(here.name, 'nothing')).toBe('')
    expect(await end(world.newSession(), there.name.id)).toBe('')
    expect(await world.isLive(access)).toBe(true)
    expect(await end(here.name, there.name.id)).toMatch(/^0:\w+:1$/)
    expect([await world.isSignedIn(there.name), await world.isLive(access)]).toEqual([false, false])
    expect([await world.isSignedIn(here.name), await world.isLive(mine)]).toEqual([true, true])
    expect(await end(here.name, there.name.id)).toBe('')
    expect((await world.told()).filter(({ type }) => type === 'session.ended')).toMatchObject([
      { reason: 'signed_out_elsewhere', attributes: { session: there.name.id } },
    ])
  })

  test('takes all others at once, however many, and leaves this browser what it had', async () => {
    const before = await world.signIn('anna')
    const { access: earlier } = await world.tokens('web', before.name)
    const here = await world.signIn('anna', { previous: before.name })
    const others = []
    for (let n = 0; n < limits.endedAtOnce * 2 + 1; n++) others.push(await world.signIn('anna'))
    const { access } = await world.tokens('web', others[0]!.name)
    const stranger = await world.signIn('berta')
    expect(await end(here.name, '*')).toMatch(new RegExp(`^0:\\w+:${others.length}$`))
    for (const { name } of others) expect(await world.isSignedIn(name)).toBe(false)
    expect(await world.isLive(access)).toBe(false)
    expect([await world.isSignedIn(here.name), await world.isLive(earlier)]).toEqual([true, true])
    expect(await world.isSignedIn(stranger.name)).toBe(true)
    expect(await end(here.name, '*')).toBe('')
  })
})
