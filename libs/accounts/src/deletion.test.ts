import { describe, expect, test } from '@jest/globals'
import { decodeEvent } from '@countersign/contracts'
import { Passkey } from '@countersign/contracts/records'
import { accountKey, accountListing, changeAccount, firstAccountKey, noteUse } from './index.ts'
import { inEveryOrder, type Process } from './testing/interleavings.ts'
import { finish, Town } from './testing/town.ts'

const ids = ['ada', 'bob', 'new-1', 'new-2', 'new-3', 'late-1']
const dyingAfter = [Infinity, 0, 1, 2, 3, 4, 5, 6, 7]

async function townWith(...subjects: string[]): Promise<Town> {
  const town = new Town()
  await town.settle('ada', subjects, true)
  return town
}

/** Whatever else happens meanwhile: the account is gone once it was deleted again, and what led to it can be had. */
async function holds(others: (town: Town) => Process[], settle = async (_: Town) => {}): Promise<void> {
  const begin = async () => {
    const town = await townWith('x')
    await settle(town)
    const processes = [town.delete('ada'), ...others(town)]
    const check = async () => {
      expect((await town.look(firstAccountKey)).behind.state).not.toBe('free')
      const deleting = town.delete('ada')
      await finish(deleting)
      expect(await town.account('ada')).toBeUndefined()
      expect((await town.look(firstAccountKey)).behind.state).toBe('closed')
      for (const subject of ['x', 'y']) {
        const reached = await town.signIn(subject)
        expect(reached).not.toBe('ada')
        await finish(town.arrive(subject, [`late-${subject}`]))
        const after = await town.signIn(subject)
        expect(after).toBe(reached ?? `late-${subject}`)
        expect(await town.claimants(subject, [...ids, `late-${subject}`])).toEqual([after])
      }
    }
    return { processes, check }
  }
  for (const steps of dyingAfter) await inEveryOrder(begin, steps)
}

describe('deleting an account', () => {
  test('leaves nothing of it, and tells', async () => {
    const town = await townWith('x', 'y')
    const account = (await town.account('ada'))!
    const commitId = town.commitId()
    const passkey = { ...Passkey.decode(new Uint8Array()), id: 'AQID', publicKey: Buffer.from('key') }
    const record = { ...account.record, passwordHash: 'a-hash', claims: '{"name":"Ada"}', passkeys: [passkey] }
    await town.commit(changeAccount(commitId, account, record, [], town.now))
    const deleting = town.delete('ada')
    for (let step = 0; step < 4; step++) await deleting.next()
    const half = (await town.account('ada'))!.record
    expect(half).toMatchObject({ passwordHash: '', claims: '', totp: undefined, disabledAt: town.now })
    expect(half.passkeys).toEqual([])
    expect(await town.signIn('x')).toBeUndefined()
    await finish(deleting)
    const [left] = await town.store.get([accountKey(0, 'ada')])
    expect(left!.value).toHaveLength(0)
    expect(await town.store.get([town.keyOf('x'), town.keyOf('y')])).toEqual([undefined, undefined])
    const told = await town.store.outbox(0).read(0, 10)
    expect(told.map(({ event }) => decodeEvent(event).id)).toEqual([`${left!.version}:0`])
  })

  test('is over after a day: nothing is listed or kept any more', async () => {
    const town = await townWith('x')
    await town.settle('bob', ['z'])
    const listed = async () => (await town.store.list(accountListing(0), { limit: 10 })).entries.map(({ key }) => key)
    expect(await listed()).toEqual([accountKey(0, 'ada'), accountKey(0, 'bob')])
    await finish(town.delete('ada'))
    town.now += 86_400_000
    expect(await listed()).toEqual([accountKey(0, 'bob')])
    expect(await town.store.get([accountKey(0, 'ada')])).toEqual([undefined])
    await finish(town.delete('ada'))
    expect(await town.signIn('z')).toBe('bob')
  })

  test('keeps whoever was slow to make it from making it after all', async () => {
    const town = await townWith()
    await finish(town.delete('ada'))
    await finish(town.arrive('x', ['ada', 'new-1']))
    expect(await town.account('ada')).toBeUndefined()
    expect(await town.signIn('x')).toBe('new-1')
  })

  test('begins again when somebody enables and changes the account meanwhile', async () => {
    const town = await townWith('x')
    const deleting = town.delete('ada')
    for (let step = 0; step < 5; step++) await deleting.next()
    const half = (await town.account('ada'))!
    await town.commit(noteUse(town.commitId(), half, { ...half.record, disabledAt: 0 }))
    await finish(town.link('ada', 'y'))
    expect(await town.signIn('y')).toBe('ada')
    await finish(deleting)
    expect(await town.account('ada')).toBeUndefined()
    expect(await town.store.get([town.keyOf('y')])).toEqual([undefined])
  })

  test('leaves alone what leads to others by now', async () => {
    const town = await townWith('x', 'y')
    const deleting = town.delete('ada')
    for (let step = 0; step < 5; step++) await deleting.next()
    await finish(town.arrive('x', ['new-1']))
    expect(await town.signIn('x')).toBe('new-1')
    await finish(town.delete('ada'))
    expect(await town.signIn('x')).toBe('new-1')
  })
})

describe('deleting an account can be done again after a crash anywhere, and goes well in whatever order', () => {
  test('with another who deletes it', () => holds((town) => [town.delete('ada')]))

  test('with its person, who signs in', () => holds((town) => [town.arrive('x', ['new-1', 'new-2', 'new-3'])]))

  test('with its person, who links another identity', () => holds((town) => [town.link('ada', 'y')]))

  test('with its person, who unlinks an identity', () =>
    holds(
      (town) => [town.unlink('ada', 'y')],
      async (town) => {
        await finish(town.link('ada', 'y'))
      },
    ))
})
