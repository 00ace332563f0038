import { beforeEach, describe, expect, test } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import { decodeEvent } from '@countersign/contracts'
import { newCommitId } from '@countersign/store'
import { createMemoryStore, type MemoryStore } from '@countersign/store/memory'
import { sealKeyFrom } from '@countersign/tokens'
import { createKeyRing, keySetKey, openPrivateJwk, stateOf } from '@countersign/tokens/keys'
import { limits } from './limits.ts'
import { startRotation } from './rotation.ts'
import { openSigningKeys, readSigningKeys, rotateSigningKeys, upkeepSigningKeys } from './signing-keys.ts'

const [sealKey, otherKey] = [sealKeyFrom(randomBytes(32)), sealKeyFrom(randomBytes(32))]
const day = 86_400_000

let at: number
let store: MemoryStore
const now = () => at
const options = (sealKeys = [sealKey]) => ({ store, sealKeys, now, commitId: newCommitId })
const upkeep = (sealKeys = [sealKey]) => ({ ...options(sealKeys), rotateEveryMs: 30 * day, longestTokenMs: 2 * day })
const ring = (sealKeys = [sealKey]) => createKeyRing({ reader: store, sealKeys, now })
const published = async () => (await ring().publicKeys()).map(({ kid }) => kid!)
const kidOf = async (alg: 'ES256' | 'EdDSA' | 'RS256'): Promise<string> => {
  const header = (await ring().sign({}, { alg, typ: 'JWT' })).split('.')[0]!
  return (JSON.parse(Buffer.from(header, 'base64url').toString()) as { kid: string }).kid
}
const told = async () =>
  (await store.outbox(0).read(0, 1_000)).map(({ event }) => {
    const { type, reason, attributes } = decodeEvent(event)
    return { type, reason, attributes }
  })

beforeEach(async () => {
  at = 1_800_000_000_000
  store = createMemoryStore({ now })
})

describe('the signing keys', () => {
  test('are made once, one of each algorithm, however many replicas start at once', async () => {
    await Promise.all([1, 2, 3].map(() => openSigningKeys(options())))
    const keys = await readSigningKeys(store)
    expect(keys.map(({ alg }) => alg).toSorted()).toEqual(['ES256', 'EdDSA', 'RS256'])
    const attributes = Object.fromEntries(keys.map(({ alg, kid }) => [alg, kid]))
    expect(await told()).toEqual([{ type: 'key.rotated', reason: 'first_start', attributes }])
  })

  test('are stored without a private member in the open, and published without one', async () => {
    await openSigningKeys(options())
    const [entry] = await store.get([keySetKey])
    const bytes = Buffer.from(entry!.value).toString('latin1')
    for (const key of await readSigningKeys(store)) {
      const { d } = openPrivateJwk([sealKey], key) as { d: string }
      expect(d.length).toBeGreaterThan(40)
      expect(bytes).not.toContain(d)
      expect(bytes).not.toContain(Buffer.from(d, 'base64url').toString('latin1'))
    }
    expect(bytes).not.toContain('"d":')
    for (const jwk of await ring().publicKeys()) {
      expect(Object.keys(jwk).filter((name) => ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k'].includes(name))).toEqual([])
      expect(jwk).toMatchObject({ use: 'sig' })
    }
  })

  test('under another master key are an error that says so, and are not made anew', async () => {
    await openSigningKeys(options())
    const before = await published()
    await expect(openSigningKeys(options([otherKey]))).rejects.toMatchObject({
      code: 'internal',
      message: expect.stringContaining('another master key'),
    })
    expect(await published()).toEqual(before)
  })

  test('sealed under the previous master key sign on, and are sealed under the current one in time', async () => {
    await openSigningKeys(options([otherKey]))
    await openSigningKeys(options([sealKey, otherKey]))
    await ring([sealKey, otherKey]).sign({}, { alg: 'RS256', typ: 'JWT' })
    await expect(ring([sealKey]).sign({}, { alg: 'RS256', typ: 'JWT' })).rejects.toMatchObject({ code: 'internal' })
    await upkeepSigningKeys(upkeep([sealKey, otherKey]))
    await upkeepSigningKeys(upkeep([sealKey, otherKey]))
    const jws = await ring([sealKey]).sign({ sub: 'x' }, { alg: 'RS256', typ: 'JWT' })
    expect(await ring([sealKey]).verify(jws)).toMatchObject({ payload: { sub: 'x' } })
    const changes = await told()
    expect(changes).toHaveLength(2)
    expect(Object.keys(changes[1]!.attributes).toSorted()).toEqual([
      'ES256.resealed',
      'EdDSA.resealed',
      'RS256.resealed',
    ])
  })
})

describe('rotation by command', () => {
  test('publishes the new key before it signs, and the old one for as long as what it signed may be good', async () => {
    await openSigningKeys(options())
    const old = await kidOf('ES256')
    const jws = await ring().sign({}, { alg: 'ES256', typ: 'JWT' })
    const keys = await rotateSigningKeys(options(), { alg: 'ES256', compromised: false })
    const next = keys.find((key) => stateOf(key, at) === 'published')!.kid
    expect(await published()).toEqual(expect.arrayContaining([old, next]))
    at += limits.publishBeforeMs - 1
    expect(await kidOf('ES256')).toBe(old)
    at += 1
    expect(await kidOf('ES256')).toBe(next)
    const retiredAt = at
    at = retiredAt + 2 * day - 1
    await upkeepSigningKeys(upkeep())
    expect(await ring().verify(jws)).toBeDefined()
    at += 1
    await upkeepSigningKeys(upkeep())
    expect(await ring().verify(jws)).toBeUndefined()
    expect(await published()).not.toContain(old)
    expect(await told()).toMatchObject([
      { reason: 'first_start' },
      { reason: 'commanded', attributes: { ES256: next } },
      { reason: 'scheduled', attributes: { 'ES256.withdrawn': old } },
    ])
  })

  test('twice before the new key signs is once, and without an algorithm it is all of them', async () => {
    await openSigningKeys(options())
    expect(await rotateSigningKeys(options(), { alg: 'EdDSA', compromised: false })).toHaveLength(4)
    expect(await rotateSigningKeys(options(), { alg: 'EdDSA', compromised: false })).toHaveLength(4)
    expect(await rotateSigningKeys(options(), { compromised: false })).toHaveLength(6)
  })

  test('after a compromise lets the new key sign at once, and the old ones be nothing', async () => {
    await openSigningKeys(options())
    await rotateSigningKeys(options(), { alg: 'RS256', compromised: false })
    const stolen = await ring().sign({}, { alg: 'RS256', typ: 'JWT' })
    const other = await ring().sign({}, { alg: 'ES256', typ: 'JWT' })
    const keys = await rotateSigningKeys(options(), { alg: 'RS256', compromised: true })
    expect(keys).toHaveLength(3)
    expect(await ring().verify(stolen)).toBeUndefined()
    expect(await ring().verify(other)).toBeDefined()
    expect(keys.map(({ kid }) => kid)).toContain(await kidOf('RS256'))
    const { attributes, reason } = (await told()).at(-1)!
    expect(reason).toBe('compromised')
    expect(attributes['RS256.withdrawn']!.split(' ')).toHaveLength(2)
  })

  test('is seen by whoever publishes the keys within a second, without a restart', async () => {
    await openSigningKeys(options())
    const running = ring()
    expect(await running.publicKeys()).toHaveLength(3)
    await rotateSigningKeys(options(), { alg: 'ES256', compromised: false })
    at += 1_000
    expect(await running.publicKeys()).toHaveLength(4)
  })
})

describe('rotation by schedule', () => {
  test('rotates a key that has signed for long enough, once, however many replicas look', async () => {
    await Promise.all([1, 2, 3].map(() => openSigningKeys(options())))
    at += 30 * day - 1
    await upkeepSigningKeys(upkeep())
    expect(await readSigningKeys(store)).toHaveLength(3)
    at += 1
    await Promise.all([1, 2, 3].map(() => upkeepSigningKeys(upkeep())))
    await upkeepSigningKeys(upkeep())
    expect(await readSigningKeys(store)).toHaveLength(6)
    expect(await told()).toHaveLength(2)
    // From when it signs, not from when it was made, the new one's time is counted.
    at += limits.publishBeforeMs + 30 * day - 1
    await upkeepSigningKeys(upkeep())
    expect(await readSigningKeys(store)).toHaveLength(3)
    at += 1
    await upkeepSigningKeys(upkeep())
    expect(await readSigningKeys(store)).toHaveLength(6)
  })

  test('goes on after a failure, and stops when it is told to', async () => {
    const due: (() => void)[] = []
    const logged: string[] = []
    let isDown = true
    const failing = { get: (keys: string[]) => (isDown ? Promise.reject(new Error('down')) : store.get(keys)) }
    const rotation = startRotation({
      ...upkeep(),
      store: { ...failing, commit: (commit) => store.commit(commit) },
      clock: { after: (ms, call) => (due.push(call), () => expect(ms).toBe(limits.checkEveryMs)) },
      log: { warn: (_, message) => void logged.push(message) },
    })
    const look = async () => {
      const waiting = due.length
      due.at(-1)!()
      while (due.length === waiting) await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await look()
    expect(logged).toEqual(['the signing keys could not be looked after'])
    isDown = false
    await look()
    expect(await readSigningKeys(store)).toHaveLength(3)
    await rotation.stop()
    due.at(-1)!()
    await rotation.stop()
    expect(due).toHaveLength(3)
  })
})
