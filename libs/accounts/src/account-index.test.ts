import { describe, expect, test } from '@jest/globals'
import { accountRecord, firstAccountKey, identityKey, indexKeysOf, loginNameKey, noteUse } from './index.ts'
import { inEveryOrder, type Process } from './testing/interleavings.ts'
import { finish, Town } from './testing/town.ts'

const ids = ['ada', 'bob', 'new-1', 'new-2', 'new-3', 'late-1', 'late-2']

interface Setting {
  settle: (town: Town) => Promise<void>
  processes: (town: Town) => Process[]
}

/** Every order, and the first process dying after each of its steps: an identity is always one account's, or can be had. */
async function holds({ settle, processes }: Setting, subject = 'x'): Promise<number> {
  const begin = async () => {
    const town = new Town()
    await settle(town)
    const check = async () => {
      const reached = await town.signIn(subject)
      const claimants = await town.claimants(subject, ids)
      expect(claimants).toEqual(expect.arrayContaining(town.made))
      expect(claimants.length).toBeLessThanOrEqual(1)
      if (reached !== undefined) expect(claimants).toEqual([reached])
      const [disabled] = await Promise.all(claimants.map((id) => town.account(id)))
      if (reached === undefined && disabled?.record.disabledAt) return
      await finish(town.arrive(subject, ['late-1', 'late-2']))
      const after = await town.signIn(subject)
      expect(after).toBeDefined()
      expect(await town.claimants(subject, ids)).toEqual([after])
      if (reached !== undefined) expect(after).toBe(reached)
    }
    return { processes: processes(town), check }
  }
  let orders = 0
  for (const steps of [Infinity, 0, 1, 2, 3, 4, 5, 6, 7, 8]) orders += await inEveryOrder(begin, steps)
  return orders
}

describe('an identity that several want at once is one account’s, in whatever order they go, and whoever dies', () => {
  const arriving = (town: Town) => town.arrive('x', ['new-1', 'new-2', 'new-3'])

  test('two who are new', async () => {
    const orders = await holds({
      settle: async () => {},
      processes: (town) => [arriving(town), town.arrive('x', ['bob', 'late-1', 'late-2'])],
    })
    expect(orders).toBeGreaterThan(300)
  })

  test('one who links it, and one who is new', async () => {
    await holds({
      settle: (town) => town.settle('ada', ['y']),
      processes: (town) => [town.link('ada', 'x'), arriving(town)],
    })
  })

  test('two who link it to their accounts', async () => {
    await holds({
      settle: async (town) => {
        await town.settle('ada', ['y'])
        await town.settle('bob', ['z'])
      },
      processes: (town) => [town.link('ada', 'x'), town.link('bob', 'x')],
    })
  })

  test('one who unlinks it, and one who signs in with it', async () => {
    await holds({
      settle: (town) => town.settle('ada', ['x', 'y']),
      processes: (town) => [town.unlink('ada', 'x'), arriving(town)],
    })
  })

  test('one who unlinks it, and one who links it', async () => {
    await holds({
      settle: async (town) => {
        await town.settle('ada', ['x', 'y'])
        await town.settle('bob', ['z'])
      },
      processes: (town) => [town.unlink('ada', 'x'), town.link('bob', 'x')],
    })
  })
})

describe('what leads to an account', () => {
  const identity = { issuer: 'https://upstream.example', subject: 'x' }

  test('is its login name and its identities', () => {
    const identities = [{ ...identity, provider: 'p', label: '', linkedAt: 0 }]
    expect(indexKeysOf(accountRecord({ loginName: ' Ada', identities }))).toEqual([
      loginNameKey('ada'),
      identityKey(identity),
    ])
    expect(indexKeysOf(accountRecord({}))).toEqual([])
  })

  test('is believed only where the account says so itself', async () => {
    const town = new Town()
    await town.settle('ada', ['x', 'y'])
    const unlinking = town.unlink('ada', 'x')
    for (let step = 0; step < 3; step++) await unlinking.next()
    expect((await town.look(town.keyOf('x'))).behind.state).toBe('disowned')
    expect(await town.signIn('x')).toBeUndefined()
    expect(await town.signIn('y')).toBe('ada')
  })

  test('is believed of an account that was made before identities were kept in it', async () => {
    const town = new Town()
    await town.settle('ada', ['x'])
    const account = (await town.account('ada'))!
    await town.commit(noteUse(town.commitId(), account, { ...account.record, identities: [] }))
    expect(await town.signIn('x')).toBe('ada')
  })

  test('is closed for good where it was the first account’s', async () => {
    const town = new Town()
    await town.settle('ada', ['x'], true)
    expect((await town.look(firstAccountKey)).behind).toMatchObject({ state: 'held' })
    await finish(town.delete('ada'))
    expect((await town.look(firstAccountKey)).behind).toEqual({ state: 'closed' })
    town.now += 7 * 86_400_000
    expect((await town.look(firstAccountKey)).behind).toEqual({ state: 'closed' })
  })
})
