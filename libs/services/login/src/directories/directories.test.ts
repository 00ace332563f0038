import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { createDirectories } from './directories.ts'
import type { DirectoryOptions } from './directory.ts'
import { limits } from './limits.ts'
import {
  addGroup,
  directoryAt,
  dnOf,
  groups,
  keepingLog,
  people,
  plantTree,
  suffix,
  who,
  type Tree,
} from './testing/tree.ts'

let tree: Tree
beforeAll(async () => {
  tree = await plantTree()
})
afterAll(() => tree.stop())

const nothing = { roles: [], attributes: [] }
const searched = { base: groups, filter: '(&(objectClass=groupOfNames)(member={dn}))', name: 'cn' }

/** What several directories give, each as the first unless it says otherwise. */
function ask(person: Parameters<typeof who>[0], ...directories: Partial<DirectoryOptions>[]) {
  const log = keepingLog()
  const all = directories.map((more, n) => directoryAt(tree.url, { id: `directory ${n}`, ...more }))
  const asked = createDirectories({ directories: all, log })
  return asked.lookUp(who(person)).then((found) => ({ found, lines: log.lines, stats: asked.stats() }))
}
const roles = async (...args: Parameters<typeof ask>) => (await ask(...args)).found.roles.toSorted()

describe('the roles of somebody in a directory', () => {
  test('are those of the groups that they name, whatever case names are written in', async () => {
    expect(await roles({ loginName: 'ada' }, {})).toEqual(['admin', 'engineer'])
    expect(await roles({ loginName: 'ADA' }, {})).toEqual(['admin', 'engineer'])
    expect(await roles({ loginName: 'bob' }, {})).toEqual([])
  })

  test('are those of the groups that name them', async () => {
    expect(await roles({ loginName: 'ada' }, { groups: searched })).toEqual(['admin', 'engineer'])
    expect(await roles({ loginName: 'jürgen' }, { groups: searched })).toEqual(['engineer'])
    const byName = { ...searched, filter: '(&(cn=operators)(member=uid={login_name},ou=people,dc=example,dc=org))' }
    expect(await roles({ loginName: 'ada' }, { groups: byName })).toEqual(['admin', 'engineer'])
    expect(await roles({ email: 'ada@example.org' }, { filter: '(mail={email})', groups: byName })).toEqual([])
  })

  test.each([
    ['names', undefined],
    ['is named by', searched],
  ])('may be given by a distinguished name, to who %s that group alone', async (how, given) => {
    const elsewhere = `ou=${how},${groups}`
    await tree.add(elsewhere, { objectClass: 'organizationalUnit', ou: how })
    const theirs = `CN=Operators, OU=groups,${suffix}`
    // One is called like the group, one like the group's distinguished name.
    for (const [rdn, cn] of [
      ['cn=operators', 'operators'],
      [`cn=${theirs.replaceAll(/[,=]/g, '\\$&')}`, theirs],
    ] as const) {
      await tree.add(`${rdn},${elsewhere}`, { objectClass: 'groupOfNames', cn, member: dnOf('bob') })
    }
    const options = { groups: given, roles: { [theirs]: ['admin'] } }
    expect(await roles({ loginName: 'ada' }, options)).toEqual(['admin'])
    expect(await roles({ loginName: 'bob' }, options)).toEqual([])
    expect(await roles({ loginName: 'bob' }, { groups: given, roles: { operators: ['admin'] } })).toEqual(['admin'])
  })

  test('are found by the subject and the e-mail address, too', async () => {
    expect(await roles({ subject: 'j2' }, { filter: '(employeeNumber={subject})' })).toEqual(['engineer'])
    expect(await roles({ email: 'ada@example.org' }, { filter: '(mail={email})' })).toEqual(['admin', 'engineer'])
    expect(await roles({ loginName: 'jürgen' }, {})).toEqual(['engineer'])
  })

  test('are those of all directories that apply to the way of signing in', async () => {
    const one = { roles: { operators: ['a'] } }
    const two = { roles: { operators: ['a', 'b'] }, providers: ['staff', 'other'] }
    const three = { roles: { operators: ['c'] }, providers: ['other'] }
    expect(await roles({ loginName: 'ada' }, one, two, three)).toEqual(['a', 'b'])
    expect(await roles({ loginName: 'ada', provider: 'other' }, one, two, three)).toEqual(['a', 'b', 'c'])
  })
})

describe('the attributes of somebody in a directory', () => {
  test('are theirs under the names that we give them', async () => {
    const attributes = { department: 'DEPARTMENTNUMBER', number: 'employeeNumber', photo: 'jpegPhoto' }
    const { found } = await ask({ loginName: 'ada' }, { attributes })
    expect(found.attributes).toEqual([
      { name: 'department', values: ['Analysis', 'Engines'] },
      { name: 'number', values: ['a1'] },
    ])
  })

  test('come together from several directories, each value once', async () => {
    const one = { attributes: { x: 'departmentNumber' } }
    const two = { attributes: { x: 'departmentNumber', y: 'uid' } }
    const { found } = await ask({ loginName: 'ada' }, one, two)
    expect(found.attributes).toEqual([
      { name: 'x', values: ['Analysis', 'Engines'] },
      { name: 'y', values: ['ada'] },
    ])
  })

  test('are so many and so long at most', async () => {
    const { found } = await ask({ loginName: 'many' }, { attributes: { d: 'description' } })
    expect(found.attributes[0]!.values).toHaveLength(limits.attributeValues)
    expect(found.attributes[0]!.values.every((value) => value.startsWith('value'))).toBe(true)
  })
})

describe('nothing is given', () => {
  test('to somebody whom the directory does not know', async () => {
    const { found, lines, stats } = await ask({ loginName: 'eve' }, {})
    expect([found, lines, stats]).toEqual([nothing, [], [{ id: 'directory 0', lookUps: 1, failures: 0, isWell: true }]])
  })

  test('where there are two of whom it might be, and that is logged without saying who', async () => {
    const { found, lines, stats } = await ask({ email: 'twin@example.org' }, { filter: '(mail={email})' })
    expect([found, stats[0]]).toMatchObject([nothing, { lookUps: 1, failures: 1, isWell: true }])
    expect(lines).toMatchObject([
      { directory: 'directory 0', host: '127.0.0.1', message: expect.stringMatching('several') },
    ])
    expect(JSON.stringify(lines)).not.toMatch(/twin/)
  })

  test('by a directory that would look for what the person has not', async () => {
    const { found, stats } = await ask(
      { loginName: 'ada' },
      { filter: '(mail={email})' },
      { filter: '(uid={subject})' },
    )
    expect([found, stats.map(({ lookUps }) => lookUps)]).toEqual([nothing, [0, 1]])
  })

  test.each(['*', 'ada)(uid=*', '*)(objectClass=*', 'ada\0', 'ad\u034fa', 'ada\u00ad', 'ad*', '\\61da', '{subject}'])(
    'to somebody who calls themselves %j',
    async (loginName) => {
      for (const filter of [
        '(uid={login_name})',
        '(&(objectClass=inetOrgPerson)(|(uid={login_name})(cn={login_name})))',
      ]) {
        const { found, lines } = await ask({ loginName, subject: 'ada' }, { filter, groups: searched })
        expect([found, lines]).toEqual([nothing, []])
      }
    },
  )

  test('to somebody in more groups than are taken', async () => {
    const two = await plantTree({ config: ['sizelimit unlimited'] })
    try {
      const names = Array.from({ length: limits.groups }, (_, n) => `g${n}`)
      for (const name of names) await addGroup(two, name, ['bob'])
      for (const given of [undefined, searched]) {
        const of = { roles: { g0: ['first'] }, groups: given }
        const log = keepingLog()
        const directories = createDirectories({ directories: [directoryAt(two.url, of)], log })
        expect(await directories.lookUp(who({ loginName: 'bob' }))).toEqual(nothing)
        expect(log.lines).toMatchObject([{ message: expect.stringMatching('too many groups') }])
        expect(directories.stats()).toMatchObject([{ failures: 1 }])
      }
    } finally {
      await two.stop()
    }
  })

  test('where the server cuts its answer short', async () => {
    const short = await plantTree({ config: ['sizelimit size.soft=1 size.hard=1 size.pr=none'] })
    try {
      const log = keepingLog()
      const found = createDirectories({ directories: [directoryAt(short.url, { filter: '(mail={email})' })], log })
      expect(await found.lookUp(who({ email: 'twin@example.org' }))).toEqual(nothing)
      expect(log.lines).toHaveLength(1)
    } finally {
      await short.stop()
    }
  })
})

describe('a referral', () => {
  test('is not followed, neither to other entries nor instead of the answer', async () => {
    let connections = 0
    const elsewhere = createServer((socket) => void (connections++, socket.destroy())).listen(0, '127.0.0.1')
    try {
      await new Promise((resolve) => elsewhere.once('listening', resolve))
      const ref = `ldap://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/dc=evil??sub`
      await tree.add(`ou=away,${people}`, { objectClass: ['referral', 'extensibleObject'], ou: 'away', ref })
      expect(await roles({ loginName: 'ada' }, {})).toEqual(['admin', 'engineer'])
      const { found, lines } = await ask({ loginName: 'ada' }, { base: `ou=away,${people}` })
      expect([found, lines.length, connections]).toEqual([nothing, 1, 0])
    } finally {
      elsewhere.close()
    }
  })
})
