import { beforeEach, describe, expect, test } from '@jest/globals'
import { SubjectChange } from '@countersign/contracts/authorization'
import { limits as tokenLimits } from '@countersign/tokens'
import { payloadOf, World } from './testing/world.ts'

const all = 'openid roles read'
const attributes = [{ name: 'site', values: ['geneva'] }]

let world: World
beforeEach(async () => {
  world = await new World().open()
})

const ofAnna = (facts: { kind: string; id: string }[]) => facts.filter(({ kind }) => kind === 'subject')
const rolesOf = async (token: string) => {
  const told = await world.introspect(token)
  return told.active ? { roles: told.roles, attributes: told.attributes } : told
}

describe('what a sign-in gives', () => {
  test('reaches tokens of that provider, and of no other', async () => {
    const staff = await world.signIn('anna', { roles: ['writer', 'reader'], attributes })
    const hub = await world.signIn('anna', { provider: 'hub', roles: ['guest'] })
    const [one, other] = [await world.tokens('web', staff.name), await world.tokens('web', hub.name)]
    expect(await rolesOf(one.access)).toEqual({ roles: ['reader', 'writer'], attributes })
    expect(await rolesOf(other.access)).toEqual({ roles: ['guest'], attributes: [] })
    await world.change('anna', SubjectChange.SET_ROLES, { roles: ['admin'] })
    expect(await rolesOf(one.access)).toEqual({ roles: ['admin', 'reader', 'writer'], attributes })
    expect(await rolesOf(other.access)).toEqual({ roles: ['admin', 'guest'], attributes: [] })
  })

  test('takes the place of what it gave before: tokens live on, and a fact has everybody ask again', async () => {
    const first = await world.signIn('anna', { roles: ['reader'] })
    const { access } = await world.tokens('own', first.name)
    expect(ofAnna(await world.facts())).toEqual([])
    await world.signIn('anna', { roles: ['reader'] })
    expect(ofAnna(await world.facts())).toEqual([])
    await world.signIn('anna', { roles: ['boss'] })
    expect(ofAnna(await world.facts())).toEqual([{ kind: 'subject', id: 'anna' }])
    expect(await rolesOf(access)).toMatchObject({ roles: ['boss'] })
    await world.signIn('anna', { roles: ['boss'], attributes })
    expect(ofAnna(await world.facts())).toHaveLength(2)
    await world.signIn('anna', {})
    expect(ofAnna(await world.facts())).toHaveLength(3)
    expect(await rolesOf(access)).toEqual({ roles: [], attributes: [] })
    expect(await world.isSignedIn(first.name)).toBe(true)
  })

  test('is no fact where the account had the roles anyway, nor for somebody new', async () => {
    await world.signIn('berta', { roles: ['reader'] })
    await world.change('anna', SubjectChange.SET_ROLES, { roles: ['reader'] })
    await world.signIn('anna', { roles: ['reader'] })
    expect(ofAnna(await world.facts())).toEqual([])
    const { standings } = await world.authorization.getSubject({ partition: 0, subject: 'anna' })
    expect(standings).toEqual([{ provider: 'staff', roles: ['reader'], attributes: [], determinedAt: world.at }])
  })

  test('is written in no sign-in that says the same within a minute, so that many at once do not get in each other’s way', async () => {
    const roles = ['reader']
    await world.signIn('anna', { roles })
    const signedIn = await Promise.all(Array.from({ length: 8 }, () => world.signIn('anna', { roles })))
    expect(signedIn).toHaveLength(8)
    const begun = world.at
    world.at += tokenLimits.standingWrittenMs - 1
    await world.signIn('anna', { roles })
    expect((await world.authorization.getSubject({ partition: 0, subject: 'anna' })).standings[0]!.determinedAt).toBe(
      begun,
    )
    world.at += 1
    await world.signIn('anna', { roles })
    expect((await world.authorization.getSubject({ partition: 0, subject: 'anna' })).standings[0]!.determinedAt).toBe(
      world.at,
    )
  })

  test.each([
    ['too many roles', { roles: Array.from({ length: 201 }, (_, n) => `r${n}`) }],
    ['a role that is too long', { roles: ['x'.repeat(129)] }],
    ['roles of too many bytes', { roles: Array.from({ length: 200 }, (_, n) => `${n}`.padStart(128, 'x')) }],
    ['an empty role', { roles: [''] }],
    ['a role of two lines', { roles: ['a\nb'] }],
    ['too many attributes', { attributes: Array.from({ length: 51 }, (_, n) => ({ name: `a${n}`, values: [] })) }],
    ['an attribute that is there twice', { attributes: [...attributes, ...attributes] }],
    ['too many values', { attributes: [{ name: 'a', values: Array.from({ length: 51 }, (_, n) => `${n}`) }] }],
    ['a value that is too long', { attributes: [{ name: 'a', values: ['x'.repeat(257)] }] }],
  ])('is refused with %s', async (_name, over) => {
    await expect(world.signIn('anna', over)).rejects.toMatchObject({ code: 'invalid_request' })
    expect(await world.told()).not.toContainEqual(expect.objectContaining({ type: 'session.started' }))
  })

  test('has room: of more providers than are kept the longest ago goes, and grants nothing any more', async () => {
    const { name } = await world.signIn('anna', { provider: 'p0', roles: ['old'] })
    const { access } = await world.tokens('own', name)
    for (let n = 1; n <= tokenLimits.standings; n++) {
      world.at += 1
      await world.signIn('anna', { provider: `p${n}`, roles: ['new'] })
    }
    const { standings } = await world.authorization.getSubject({ partition: 0, subject: 'anna' })
    expect(standings.map(({ provider }) => provider)).toEqual(
      Array.from({ length: tokenLimits.standings }, (_, n) => `p${n + 1}`),
    )
    expect(await rolesOf(access)).toEqual({ roles: [], attributes: [] })
    const large = Array.from({ length: 200 }, (_, n) => `${n}`.padStart(80, 'x'))
    for (let n = 0; n < 5; n++) {
      world.at += 1
      await world.signIn('anna', { provider: `large${n}`, roles: large })
    }
    const { standings: last } = await world.authorization.getSubject({ partition: 0, subject: 'anna' })
    expect(last.map(({ provider }) => provider).at(-1)).toBe('large4')
    expect(last.length).toBeLessThan(5)
  })
})

describe('roles and attributes', () => {
  test('are in signed access tokens, as they are when the token is made', async () => {
    const { name } = await world.signIn('anna', { roles: ['reader'], attributes })
    const first = await world.tokens('signed', name, 'openid read offline_access')
    expect(payloadOf(first.access)).toMatchObject({ roles: ['reader'], attributes: { site: ['geneva'] } })
    await world.signIn('anna', { roles: ['boss'] })
    const second = payloadOf((await world.refresh('signed', first)).access)
    expect(second.roles).toEqual(['boss'])
    expect(second).not.toHaveProperty('attributes')
    expect(await rolesOf(first.access)).toMatchObject({ roles: ['boss'] })
  })

  test('are left out of a signed token that they would make too long; whoever asks is told', async () => {
    const long = Array.from({ length: 40 }, (_, n) => `${n}`.padStart(128, 'x'))
    const wide = [{ name: 'site', values: Array.from({ length: 20 }, (_, n) => `${n}`.padStart(250, 'y')) }]
    const { name } = await world.signIn('anna', { roles: ['reader'], attributes: wide })
    const { access } = await world.tokens('signed', name)
    expect(payloadOf(access)).toMatchObject({ roles: ['reader'] })
    expect(payloadOf(access)).not.toHaveProperty('attributes')
    await world.signIn('anna', { roles: long })
    const { access: shorter } = await world.tokens('signed', name)
    expect(payloadOf(shorter)).not.toHaveProperty('roles')
    for (const token of [access, shorter]) expect(token.length).toBeLessThanOrEqual(tokenLimits.tokenCharacters)
    expect(await rolesOf(shorter)).toMatchObject({ roles: long.toSorted() })
  })

  test('are in the ID token and at userinfo with the scope roles, and not without it', async () => {
    const { name } = await world.signIn('anna', { roles: ['reader'], attributes })
    const told = { roles: ['reader'], attributes: { site: ['geneva'] } }
    const asked = await world.tokens('web', name, all)
    expect(asked.idToken).toMatchObject(told)
    expect(await world.userinfo(asked.access)).toEqual({ sub: 'anna', ...told })
    const notAsked = await world.tokens('own', name, 'openid read')
    expect(notAsked.idToken).not.toHaveProperty('roles')
    expect(await world.userinfo(notAsked.access)).toEqual({ sub: 'anna' })
  })
})
