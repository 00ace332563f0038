import { beforeEach, describe, expect, test } from '@jest/globals'
import { isLive } from './introspect.ts'
import { revokeToken } from './revoke.ts'
import { minute, People } from './testing/people.ts'

const invalidGrant = expect.objectContaining({ code: 'invalid_grant' })

describe('an authorization code', () => {
  let people: People
  beforeEach(() => {
    people = new People()
  })

  test('gives a grant and its first tokens, once', () => {
    const code = people.code()
    const first = people.redeem(code)
    expect(first).toMatchObject({
      kind: 'redeemed',
      grant: { clientId: 'web', subject: 'alice', sessionId: 'session' },
    })
    expect(first.commit.events.map(({ type }) => type)).toEqual(['grant.created', 'token.issued'])
    expect(people.apply(first.commit)).toBe(true)
    if (first.kind !== 'redeemed') throw new Error()
    expect(isLive(people.held(first.access.opaque!).held, people.now)).toBe(true)
    expect(isLive(people.held(first.refreshToken!).held, people.now)).toBe(true)
  })

  test.each([0, 30_000, 5 * minute])('used again after %d ms ends everything that came of it', (laterMs) => {
    const code = people.code()
    const first = people.redeem(code)
    people.apply(first.commit)
    people.now += laterMs
    const second = people.redeem(code)
    expect(second.kind).toBe('reused')
    expect(second.commit.facts).toMatchObject([{ kind: 'grant' }])
    expect(second.commit.events.map(({ type }) => type)).toEqual(['grant.revoked', 'token.reuse_detected'])
    people.apply(second.commit)
    if (first.kind !== 'redeemed') throw new Error()
    expect(isLive(people.held(first.access.opaque!).held, people.now)).toBe(false)
    expect(() => people.redeem(code)).toThrow(invalidGrant)
  })

  test('redeemed twice at once is committed once', () => {
    const code = people.code()
    const [one, other] = [people.redeem(code), people.redeem(code)]
    expect([people.apply(one.commit), people.apply(other.commit)]).toEqual([true, false])
  })

  test('is refused to another client, and stays good for its own', () => {
    const code = people.code()
    expect(() => people.redeem(code, { client: people.client('other') })).toThrow(invalidGrant)
    expect(people.redeem(code).kind).toBe('redeemed')
  })

  test('is refused with another redirect_uri, and without one that was named', () => {
    const code = people.code()
    for (const redirectUri of [undefined, 'https://app.example/cb/', 'https://app.example/CB']) {
      expect(() => people.redeem(code, { redirectUri })).toThrow(invalidGrant)
    }
    expect(people.redeem(people.code({ redirectNamed: false }), { redirectUri: undefined }).kind).toBe('redeemed')
  })

  test('is refused with a wrong or missing verifier, and with one that nothing asked for', () => {
    const code = people.code()
    for (const codeVerifier of [undefined, '', 'x'.repeat(43)]) {
      expect(() => people.redeem(code, { codeVerifier })).toThrow(invalidGrant)
    }
    const plain = people.code({ codeChallenge: '' })
    expect(() => people.redeem(plain)).toThrow(invalidGrant)
    expect(people.redeem(plain, { codeVerifier: undefined }).kind).toBe('redeemed')
  })

  test('is refused to another DPoP key than it was asked for with', () => {
    const code = people.code({ dpopJkt: 'k'.repeat(43) })
    expect(() => people.redeem(code)).toThrow(invalidGrant)
    expect(() => people.redeem(code, { confirmation: { jkt: 'x'.repeat(43), x5tS256: '' } })).toThrow(invalidGrant)
    expect(people.redeem(code, { confirmation: { jkt: 'k'.repeat(43), x5tS256: '' } }).kind).toBe('redeemed')
  })

  test('is refused once it is older than its lifetime', () => {
    const code = people.code()
    people.now += minute - 1
    expect(people.redeem(code).kind).toBe('redeemed')
    people.now += 1
    expect(() => people.redeem(code)).toThrow(invalidGrant)
  })

  test('is refused once its client, its person or its session has ended', () => {
    const ends = [
      () => people.changeClient('web', { disabledAt: 1 }),
      () => people.changeClient('web', { epoch: 1 }),
      () => people.changeSubject({ disabledAt: 1 }),
      () => people.changeSubject({ epoch: 1 }),
      () => people.endSession(),
    ]
    for (const end of ends) {
      people = new People()
      const code = people.code()
      end()
      expect(() => people.redeem(code)).toThrow(invalidGrant)
    }
  })

  test('survives the session only with offline_access', () => {
    const bound = people.tokens()
    const offline = people.tokens({}, 'openid offline_access')
    people.endSession()
    expect(isLive(people.held(bound.refresh).held, people.now)).toBe(false)
    expect(isLive(people.held(offline.refresh).held, people.now)).toBe(true)
  })

  test('cannot be made to be forgotten by revoking it once it was used', () => {
    const code = people.code()
    people.apply(people.redeem(code).commit)
    const { held, parsed } = people.held(code)
    expect(revokeToken({ held, parsed, client: people.client('web') }, people.by())).toBeUndefined()
    expect(people.redeem(code).kind).toBe('reused')
  })

  test('is held nowhere in what is stored and told', () => {
    const code = people.code()
    const { commit } = people.redeem(code)
    const bytes = commit.puts.map(({ value }) => Buffer.from(value).toString('latin1')).join()
    expect(JSON.stringify(commit) + bytes).not.toContain(code.slice(6, 40))
  })
})
