import { beforeEach, describe, expect, test } from '@jest/globals'
import type { ListAccountsRequest } from '@countersign/contracts/accounts'
import { context, named, Office, operator } from './testing/office.ts'

let office: Office
beforeEach(() => void (office = new Office()))

const page = async (request: Partial<ListAccountsRequest> = {}) =>
  office.calls.listAccounts({ search: '', pageSize: 0, pageToken: '', ...request }, context)

/** Every page, until there are no more. */
async function pages(request: Partial<ListAccountsRequest>): Promise<string[][]> {
  const all: string[][] = []
  let pageToken = ''
  do {
    const { accounts, nextPageToken } = await page({ ...request, pageToken })
    all.push(accounts.map(({ id }) => id))
    pageToken = nextPageToken
  } while (pageToken !== '' && all.length < 10_000)
  return all
}

describe('5,000 accounts', () => {
  beforeEach(() => office.fill(5_000, (n) => (n === 4_321 ? { loginName: 'Ærøskøbing' } : {})))

  test.each([7, 100, 250, 251, 500])('are listed each once, %i at a time', async (pageSize) => {
    const listed = await pages({ pageSize })
    expect(new Set(listed.flat()).size).toBe(5_000)
    expect(listed.flat()).toHaveLength(5_000)
    expect(listed.slice(0, -1).every(({ length }) => length === pageSize)).toBe(true)
    const inOrder = [0, 1, 2, 3].flatMap((partition) =>
      listed
        .flat()
        .filter((id) => Number(id.slice(-5)) % 4 === partition)
        .toSorted(),
    )
    expect(listed.flat()).toEqual(inOrder)
  })

  test('are searched 2,000 at a time, in any case', async () => {
    expect(await pages({ search: ' ærØSKØB ' })).toEqual([[], ['person-04321'], []])
  })

  test('are searched without missing any where a page ends', async () => {
    const found = await pages({ search: '7', pageSize: 3 })
    const all = Array.from({ length: 5_000 }, (_, n) => n).filter((n) => String(n).includes('7'))
    expect(found.flat().toSorted()).toEqual(all.map((n) => `person-${String(n).padStart(5, '0')}`))
  })

  test('are 100 of a page unless more or fewer are asked for, and 500 at most', async () => {
    expect((await page()).accounts).toHaveLength(100)
    expect((await page({ pageSize: 500 })).accounts).toHaveLength(500)
    await expect(page({ pageSize: 501 })).rejects.toMatchObject({ code: 'invalid_request' })
  })
})

describe('a search', () => {
  test.each(['alice', 'ALICE', 'person-00000', 'Liddell', 'wonder.example', 'oid-7', '@elsewhere', ''])(
    'finds by %j',
    async (search) => {
      const identity = { provider: 'p', issuer: 'https://p', subject: 'OID-77', label: 'a@elsewhere', linkedAt: 1 }
      const claims = JSON.stringify({ name: 'Alice Liddell', email: 'a@Wonder.example' })
      await office.fill(1, () => ({ loginName: 'Alice', claims, identities: [identity] }))
      expect((await page({ search })).accounts).toHaveLength(1)
    },
  )

  test('finds nobody by what nobody shall know, or nobody has', async () => {
    await office.fill(1, () => ({ loginName: 'Alice', passwordHash: '$argon2id$secret' }))
    expect((await page({ search: 'argon' })).accounts).toEqual([])
    expect((await page({ search: 'bob' })).accounts).toEqual([])
    await expect(page({ search: 'x'.repeat(255) })).rejects.toMatchObject({ code: 'invalid_request' })
  })
})

describe('what is listed', () => {
  test('is no account that was deleted, or that was never complete', async () => {
    const [gone, stays] = [await office.add({ loginName: 'gone' }), await office.add({ loginName: 'stays' })]
    await expect(
      office.dyingAt(2).inviteAccount({ loginName: 'half', name: '', email: '', roles: [], send: false }, context),
    ).rejects.toMatchObject({ code: 'unavailable' })
    // Whoever takes the name gives the half-made one up.
    expect(await office.directory.create({ loginName: 'half', claims: {} }, operator, false)).toBeDefined()
    await office.calls.deleteAccount({ account: named('gone') }, context)
    expect(await office.remains(gone.partition, gone.record.id)).toHaveLength(0)
    const { accounts } = await page()
    expect(accounts.map(({ loginName }) => loginName).toSorted()).toEqual(['half', 'stays'])
    expect(accounts.find(({ loginName }) => loginName === 'stays')!.id).toBe(stays.record.id)
  })

  test.each([
    'x',
    'W10',
    Buffer.from('[9,"",""]').toString('base64url'),
    Buffer.from('[0,"odd",""]').toString('base64url'),
    'A'.repeat(2_000),
  ])('begins at no place but ours: %s', async (pageToken) => {
    await expect(page({ pageToken })).rejects.toMatchObject({
      code: 'invalid_request',
      message: 'page_token is not of an earlier page',
    })
  })
})
