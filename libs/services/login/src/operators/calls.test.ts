import { beforeEach, describe, expect, test } from '@jest/globals'
import { isLinkGood, limits as accountLimits } from '@countersign/accounts'
import { Failure } from '@countersign/contracts'
import type { ChangeAccountRequest, InviteAccountRequest } from '@countersign/contracts/accounts'
import { SubjectChange } from '@countersign/contracts/authorization'
import { ActorKind } from '@countersign/contracts/events'
import { Passkey, Totp } from '@countersign/contracts/records'
import type { AccountsCalls } from './calls.ts'
import { context, issuer, named, Office, operator, withId } from './testing/office.ts'

/** Letters are written once the answer is on its way. */
const afterAnswers = () => new Promise((resolve) => setImmediate(resolve))

let office: Office
beforeEach(() => void (office = new Office()))

const invite = (request: Partial<InviteAccountRequest> = {}, calls = office.calls) =>
  calls.inviteAccount({ loginName: 'bob', name: '', email: '', roles: [], send: false, ...request }, context)
const change = (what: Omit<ChangeAccountRequest, 'account'>) =>
  office.calls.changeAccount({ account: named('alice'), ...what }, context)
const tokenOf = (link: string) => new URL(link).searchParams.get('token')!
const totp = { ...Totp.decode(new Uint8Array()), sealedSecret: Buffer.from('sealed') }
const passkey = { ...Passkey.decode(new Uint8Array()), id: 'AQID' }

describe('whoever is no operator', () => {
  const account = named('alice')
  const requests: { [Name in keyof AccountsCalls]: Parameters<AccountsCalls[Name]>[0] } = {
    listAccounts: { search: '', pageSize: 0, pageToken: '' },
    getAccount: { account },
    inviteAccount: { loginName: 'bob', name: '', email: '', roles: [], send: false },
    makeResetLink: { account, send: false },
    changeAccount: { account, newName: { $case: 'name', value: 'Eve' }, newEmail: undefined },
    setRoles: { account, roles: ['admin'] },
    removeSecondFactor: { account },
    disableAccount: { account },
    enableAccount: { account },
    deleteAccount: { account },
  }

  test.each(Object.keys(requests) as (keyof AccountsCalls)[])('is refused %s, and nothing happens', async (name) => {
    const refused = new Office({ operatorOf: () => Promise.reject(new Failure('access_denied', 'no')) })
    const { partition, record } = await refused.add({ totp, disabledAt: 1 })
    const told = await refused.told()
    const call = refused.calls[name] as (request: unknown, given: typeof context) => Promise<unknown>
    await expect(call(requests[name], context)).rejects.toMatchObject({ code: 'access_denied' })
    expect(await refused.record(partition, record.id)).toEqual(record)
    expect(await refused.told()).toEqual(told)
    expect(refused.authorization.changes).toEqual([])
  })
})

describe('an account', () => {
  test('is shown with its roles and standings, and nothing that anybody could sign in with', async () => {
    const secrets = { passwordHash: 'a-hash', totp, passkeys: [passkey] }
    const { record } = await office.add(secrets, { name: 'Alice', email: 'a@x.example', email_verified: true })
    const standings = [{ provider: 'staff', roles: ['reader'], attributes: [], determinedAt: 5 }]
    office.authorization.subjects.set(record.id, { roles: ['admin'], standings, disabledAt: 0, deletedAt: 0 })
    const answer = await office.calls.getAccount({ account: named(' ALICE ') }, context)
    expect(answer).toEqual({
      account: {
        ...{ id: record.id, loginName: 'alice', name: 'Alice', email: 'a@x.example', emailVerified: true },
        ...{ createdAt: office.now, changedAt: office.now, disabledAt: 0, hasPassword: true, hasTotp: true },
        ...{ passkeys: 1, identities: [] },
      },
      roles: ['admin'],
      standings,
    })
    expect(await office.calls.getAccount({ account: withId(record.id) }, context)).toEqual(answer)
  })

  test.each([
    [undefined, 'invalid_request'],
    [{ name: undefined }, 'invalid_request'],
    [withId(''), 'invalid_request'],
    [withId('nobody'), 'not_found'],
    [withId('0:x/y'), 'not_found'],
    [named('nobody'), 'not_found'],
    [named('\u202e'), 'not_found'],
  ])('that is named %j is %s', async (account, code) => {
    await expect(office.calls.getAccount({ account }, context)).rejects.toMatchObject({ code })
  })
})

describe('an invitation', () => {
  test('makes an account with roles, and gives a link that chooses its password for a week', async () => {
    const { account, link, linkExpiresAt } = await invite({ name: 'Bob', email: 'b@x.example', roles: ['reader'] })
    expect(account).toMatchObject({ loginName: 'bob', name: 'Bob', email: 'b@x.example', emailVerified: true })
    expect(link).toMatch(`${issuer}/login/password?token=`)
    expect(linkExpiresAt).toBe(office.now + accountLimits.invitationLinkMs)
    const held = (await office.directory.findByLoginName('bob'))!
    expect(isLinkGood(office.linkKey, tokenOf(link), held, linkExpiresAt - 1)).toBe(true)
    expect(isLinkGood(office.linkKey, tokenOf(link), held, linkExpiresAt)).toBe(false)
    expect(office.authorization.changes).toMatchObject([
      { change: SubjectChange.SET_ROLES, roles: ['reader'], subject: account!.id, partition: held.partition },
    ])
    expect(await office.told()).toMatchObject([
      { type: 'account.invited', subject: account!.id, actor: { kind: ActorKind.OPERATOR, id: 'operator' } },
    ])
    expect(JSON.stringify(await office.told())).not.toContain('b@x.example')
  })

  test('is sent instead, in the language of the pages', async () => {
    const german = new Office({ language: 'de' })
    const { link } = await invite({ email: 'b@x.example', send: true }, german.calls)
    expect(link).toBe('')
    await afterAnswers()
    expect(german.letters).toMatchObject([{ to: 'b@x.example', text: expect.stringContaining('Passwort') }])
    expect(german.letters[0]!.text).toContain(`${issuer}/login/password?token=`)
  })

  test.each<[Partial<InviteAccountRequest>, string]>([
    [{ loginName: '' }, 'a login name'],
    [{ loginName: 'x'.repeat(255) }, 'a login name'],
    [{ loginName: 'a\u202eb' }, 'a login name'],
    [{ name: 'x'.repeat(255) }, 'a name'],
    [{ name: 'a\nb' }, 'a name'],
    [{ email: 'nobody' }, 'no e-mail address'],
    [{ email: 'a@x.example, b@x.example' }, 'no e-mail address'],
    [{ roles: [''] }, 'roles'],
    [{ roles: ['x'.repeat(129)] }, 'roles'],
    [{ send: true }, 'no address'],
  ])('with %j is refused, and makes nobody', async (request, why) => {
    await expect(invite(request)).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringContaining(why),
    })
    expect(await office.told()).toEqual([])
    expect(office.letters).toEqual([])
  })

  test('needs a name that is free, mail to be sent, and accounts of ours', async () => {
    await office.add({ loginName: 'Bob' })
    await expect(invite()).rejects.toMatchObject({ code: 'conflict' })
    const mute = new Office({ canSend: false })
    await expect(invite({ email: 'b@x.example', send: true }, mute.calls)).rejects.toThrow('mail is not configured')
    const upstreamOnly = new Office({ localProvider: undefined })
    await expect(invite({}, upstreamOnly.calls)).rejects.toMatchObject({ code: 'conflict' })
    expect(await mute.told()).toEqual([])
    expect(await upstreamOnly.told()).toEqual([])
  })

  test('says so when the account is there without its roles', async () => {
    office.authorization.failure = new Failure('unavailable', 'away')
    await expect(invite({ roles: ['reader'] })).rejects.toMatchObject({
      code: 'unavailable',
      message: 'the account is there, but has no roles yet: away',
    })
    expect(await office.directory.findByLoginName('bob')).toBeDefined()
  })
})

describe('a link for a new password', () => {
  const make = (send = false, calls = office.calls) => calls.makeResetLink({ account: named('alice'), send }, context)

  test('is good for an hour, and the journal knows who made it, and not what it is', async () => {
    const held = await office.add({ passwordHash: 'a-hash' })
    const { link, linkExpiresAt } = await make()
    expect(linkExpiresAt).toBe(office.now + accountLimits.resetLinkMs)
    expect(isLinkGood(office.linkKey, tokenOf(link), held, office.now)).toBe(true)
    expect(await office.toldTypes()).toEqual(['account.reset_requested'])
    const told = (await office.told()).at(-1)!
    expect(told).toMatchObject({ subject: held.record.id, actor: { id: 'operator' } })
    expect(JSON.stringify(told)).not.toContain(tokenOf(link))
    expect(await office.record(held.partition, held.record.id)).toEqual(held.record)
  })

  test('is an invitation once more for somebody who never chose one', async () => {
    await office.add({}, { email: 'a@x.example', locale: 'fr-CA' })
    expect((await make()).linkExpiresAt).toBe(office.now + accountLimits.invitationLinkMs)
    expect((await make(true)).link).toBe('')
    await afterAnswers()
    expect(office.letters).toMatchObject([{ to: 'a@x.example', text: expect.stringContaining('mot de passe') }])
  })

  test('is not made where it would lead nowhere', async () => {
    await office.add({ passwordHash: 'a-hash' })
    await expect(make(true)).rejects.toThrow('no address')
    await office.calls.disableAccount({ account: named('alice') }, context)
    await expect(make()).rejects.toMatchObject({ code: 'conflict' })
    await office.fill(1, () => ({ id: 'nameless' }))
    const nameless = office.calls.makeResetLink({ account: withId('nameless'), send: false }, context)
    await expect(nameless).rejects.toMatchObject({ code: 'conflict' })
    expect(await office.toldTypes()).toEqual([])
  })
})

describe('a change', () => {
  const claims = { name: 'Alice', email: 'a@x.example', email_verified: false, locale: 'de' }

  test('sets what is given, leaves the rest, and the operator vouches for the address', async () => {
    await office.add({}, claims)
    const { account } = await change({ newName: undefined, newEmail: { $case: 'email', value: 'new@x.example' } })
    expect(account).toMatchObject({ name: 'Alice', email: 'new@x.example', emailVerified: true })
    const cleared = await change({ newName: { $case: 'name', value: '' }, newEmail: { $case: 'email', value: '' } })
    expect(cleared.account).toMatchObject({ name: '', email: '', emailVerified: false })
    const { record } = (await office.directory.findByLoginName('alice'))!
    expect(JSON.parse(record.claims)).toEqual({ locale: 'de' })
    expect(await office.toldTypes()).toEqual(['account.changed', 'account.changed'])
    expect(JSON.stringify(await office.told())).not.toContain('x.example')
  })

  test('to what it is changes nothing; that cannot be kept is refused', async () => {
    await office.add({}, claims)
    await change({ newName: { $case: 'name', value: 'Alice' }, newEmail: undefined })
    await change({ newName: undefined, newEmail: undefined })
    const nobody = change({ newName: undefined, newEmail: { $case: 'email', value: 'nobody' } })
    await expect(nobody).rejects.toMatchObject({ code: 'invalid_request' })
    const twoLines = change({ newName: { $case: 'name', value: 'a\r\nb' }, newEmail: undefined })
    await expect(twoLines).rejects.toMatchObject({ code: 'invalid_request' })
    expect(await office.toldTypes()).toEqual([])
  })
})

describe('roles and second factors', () => {
  test('roles are those of the account where its tokens are', async () => {
    const { record } = await office.add()
    const { revision } = await office.calls.setRoles({ account: named('alice'), roles: ['a', 'b'] }, context)
    expect(revision).not.toBe('')
    expect(office.authorization.changes).toMatchObject([
      { change: SubjectChange.SET_ROLES, roles: ['a', 'b'], subject: record.id, asker: { operatorId: 'operator' } },
    ])
  })

  test('a second factor goes with its passkeys, and its owner is told', async () => {
    const account = await office.add({ passwordHash: 'a-hash', totp }, { email: 'a@x.example' })
    await office.directory.change(account, operator, (record) => ({ record: { ...record, passkeys: [passkey] } }))
    const answer = await office.calls.removeSecondFactor({ account: named('alice') }, context)
    expect(answer.account).toMatchObject({ hasTotp: false, passkeys: 0, hasPassword: true })
    expect(await office.toldTypes()).toEqual(['account.second_factor_removed'])
    await afterAnswers()
    expect(office.letters).toMatchObject([{ to: 'a@x.example' }])
    await office.calls.removeSecondFactor({ account: named('alice') }, context)
    await afterAnswers()
    expect(office.letters).toHaveLength(1)
  })

  test('passkeys stay while they are the only way to sign in', async () => {
    const { partition, record } = await office.add({ passkeys: [passkey] })
    const removal = office.calls.removeSecondFactor({ account: named('alice') }, context)
    await expect(removal).rejects.toMatchObject({ code: 'conflict' })
    expect((await office.record(partition, record.id))!.passkeys).toHaveLength(1)
  })
})
