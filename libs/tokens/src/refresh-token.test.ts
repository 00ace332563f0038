import { beforeEach, describe, expect, test } from '@jest/globals'
import { createSecretKey, randomBytes } from 'node:crypto'
import { createTokenFormat, tagKeyFrom } from './format.ts'
import { introspect, isLive } from './introspect.ts'
import { refresh, type RefreshRequest } from './refresh-token.ts'
import { revokeToken } from './revoke.ts'
import { minute, People } from './testing/people.ts'

const invalidGrant = expect.objectContaining({ code: 'invalid_grant' })
const graceMs = 10_000
const key = createSecretKey(randomBytes(32))

describe('a refresh token', () => {
  let people: People
  let first: string
  beforeEach(() => {
    people = new People()
    first = people.tokens({}, 'openid read write offline_access').refresh
  })

  const use = (token: string, over: Partial<RefreshRequest> = {}, keys = [key]) => {
    const request = { token, ...people.held(token), client: people.client('web'), scope: undefined, resources: [] }
    return refresh({ ...request, confirmation: undefined, ...over }, people.format, keys, graceMs, people.by())
  }
  const rotate = (token: string): { refreshToken: string; access: string } => {
    const refreshed = use(token)
    if (refreshed.kind !== 'rotated') throw new Error(refreshed.kind)
    expect(people.apply(refreshed.commit)).toBe(true)
    return { refreshToken: refreshed.refreshToken, access: refreshed.access.opaque! }
  }

  test('gives an access token and its own successor', () => {
    const { refreshToken, access } = rotate(first)
    expect(refreshToken).not.toBe(first)
    expect(isLive(people.held(access).held, people.now)).toBe(true)
    expect(rotate(refreshToken).refreshToken).not.toBe(refreshToken)
  })

  test('used again within its grace, however often, gives the same successor and the same access token', () => {
    const { refreshToken, access } = rotate(first)
    for (const laterMs of [0, 1, graceMs - 1]) {
      people.now += laterMs
      const again = use(first)
      expect(again).toMatchObject({ kind: 'repeated', refreshToken })
      if (again.kind === 'repeated') expect(again.access.opaque).toBe(access)
    }
  })

  test('used at once by two gives both the same, one of them by another try', () => {
    const [one, other] = [use(first), use(first)]
    if (one.kind !== 'rotated' || other.kind !== 'rotated') throw new Error()
    expect(one.refreshToken).toBe(other.refreshToken)
    expect([people.apply(one.commit), people.apply(other.commit)]).toEqual([true, false])
    expect(use(first)).toMatchObject({ kind: 'repeated', refreshToken: one.refreshToken })
  })

  test('used within the grace after its successor was used, still gives that successor', () => {
    const { refreshToken: second } = rotate(first)
    const { refreshToken: third } = rotate(second)
    expect(use(first)).toMatchObject({ kind: 'repeated', refreshToken: second })
    expect(use(second)).toMatchObject({ kind: 'repeated', refreshToken: third })
  })

  test('used again after its grace ends the whole family, and says so', () => {
    const { refreshToken, access } = rotate(first)
    people.now += graceMs + 1
    const reused = use(first)
    expect(reused.kind).toBe('reused')
    if (reused.kind !== 'reused') throw new Error()
    expect(reused.commit.facts).toMatchObject([{ kind: 'grant' }])
    expect(reused.commit.events.map(({ type }) => type)).toEqual(['grant.revoked', 'token.reuse_detected'])
    people.apply(reused.commit)
    expect(isLive(people.held(access).held, people.now)).toBe(false)
    expect(() => use(refreshToken)).toThrow(invalidGrant)
    expect(() => use(first)).toThrow(invalidGrant)
  })

  test('however old, is still known as one that was used: its family has one record', () => {
    let token = first
    for (let n = 0; n < 20; n++) {
      people.now += minute
      token = rotate(token).refreshToken
    }
    expect(use(first).kind).toBe('reused')
    expect(people.held(token).held.token.record.family!.rotations.length).toBeLessThan(3)
  })

  test('is refused to another client, after its absolute lifetime, and without its key', () => {
    expect(() => use(first, { client: people.client('other') })).toThrow(invalidGrant)
    const bound = people.redeem(people.code(), { confirmation: { jkt: 'k', x5tS256: '' } })
    people.apply(bound.commit)
    if (bound.kind !== 'redeemed') throw new Error()
    expect(() => use(bound.refreshToken!)).toThrow(invalidGrant)
    expect(use(bound.refreshToken!, { confirmation: { jkt: 'k', x5tS256: '' } }).kind).toBe('rotated')
    people.now += 60 * minute
    expect(() => use(first)).toThrow(invalidGrant)
  })

  test('never gives more scope or other resources than its grant has', () => {
    expect(() => use(first, { scope: 'read admin' })).toThrow(expect.objectContaining({ code: 'invalid_scope' }))
    const resources = ['https://mail.example']
    expect(() => use(first, { resources })).toThrow(expect.objectContaining({ code: 'invalid_target' }))
    const less = use(first, { scope: 'read' })
    if (less.kind !== 'rotated') throw new Error()
    expect(less.access.record.scope).toBe('read')
    people.apply(less.commit)
    const all = use(less.refreshToken)
    expect(all.kind === 'rotated' && all.access.record.scope).toBe('openid read write offline_access')
  })

  test('that races a revocation leaves nothing alive', () => {
    const racing = use(first)
    const { held, parsed } = people.held(first)
    const revoked = revokeToken({ held, parsed, client: people.client('web') }, people.by())!
    people.apply(revoked)
    if (racing.kind !== 'rotated') throw new Error()
    people.apply(racing.commit)
    expect(isLive(people.held(racing.access.opaque!).held, people.now)).toBe(false)
    expect(isLive(people.held(racing.refreshToken).held, people.now)).toBe(false)
  })

  test('is no access token, and an access token or a code is no refresh token', () => {
    const { held, parsed } = people.held(first)
    expect(introspect(held, parsed.digest, people.client('web'), people.now).active).toBe(false)
    for (const token of [people.tokens().access, people.code()]) expect(() => use(token)).toThrow(invalidGrant)
  })

  test('derived under the key before is answered alike after the master key was changed', () => {
    const { refreshToken, access } = rotate(first)
    const newer = createSecretKey(randomBytes(32))
    people.format = createTokenFormat(tagKeyFrom(randomBytes(32)), people.tagKey)
    const again = use(first, {}, [newer, key])
    expect(again).toMatchObject({ kind: 'repeated', refreshToken })
    expect(again.kind === 'repeated' && again.access.opaque).toBe(access)
    expect(() => use(first, {}, [newer])).toThrow(invalidGrant)
  })

  test('gives nothing that was taken from its client since', () => {
    const lesser = { ...people.client('web'), scopes: ['openid', 'read'], audience: [] }
    const less = use(first, { client: lesser })
    expect(less).toMatchObject({ kind: 'rotated', access: { record: { scope: 'openid read', audience: [] } } })
    expect(() => use(first, { client: lesser, scope: 'write' })).toThrow(
      expect.objectContaining({ code: 'invalid_scope' }),
    )
  })

  test('cannot be read from what is stored', () => {
    const refreshed = use(first)
    if (refreshed.kind !== 'rotated') throw new Error()
    const bytes = refreshed.commit.puts.map(({ value }) => Buffer.from(value).toString('latin1')).join()
    const everything = JSON.stringify(refreshed.commit) + bytes
    for (const token of [first, refreshed.refreshToken]) expect(everything).not.toContain(token.slice(6, 40))
  })
})
