import { beforeEach, describe, expect, test } from '@jest/globals'
import { createHmac, randomBytes } from 'node:crypto'
import { CompactSign, exportJWK, exportSPKI, generateKeyPair, importJWK, SignJWT, type CryptoKey, type JWK } from 'jose'
import { Failure } from '@countersign/contracts'
import { KeySetRecord, type SigningKey } from '@countersign/contracts/records'
import type { Entry } from '@countersign/store'
import { sealKeyFrom } from '../seal.ts'
import { createKeyRing, type KeyRing } from './key-ring.ts'
import { limits } from './limits.ts'
import { keySetKey, sealPrivateJwk } from './signing-key.ts'

const sealKey = sealKeyFrom(randomBytes(32))
const begin = 1_800_000_000_000
const text = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

async function keyOf(alg: string, kid: string): Promise<{ record: SigningKey; publicKey: JWK; privateKey: JWK }> {
  const pair = await generateKeyPair(alg, { extractable: true })
  const [publicKey, privateKey] = [await exportJWK(pair.publicKey), await exportJWK(pair.privateKey)]
  const sealedPrivateJwk = sealPrivateJwk(sealKey, kid, privateKey)
  const publicJwk = JSON.stringify({ ...publicKey, kid, alg, use: 'sig' })
  const record = { kid, alg, publicJwk, sealedPrivateJwk, createdAt: begin, activeAt: 0, retiredAt: 0 }
  return { record, publicKey, privateKey }
}

const [es256, rs256, eddsa] = await Promise.all([keyOf('ES256', 'one'), keyOf('RS256', 'two'), keyOf('EdDSA', 'three')])
const stranger = await keyOf('ES256', 'one')

/** A store with one record, which may change. */
class Records {
  keys: SigningKey[] = [es256.record, rs256.record, eddsa.record]
  version = 0
  reads = 0
  isDown = false
  at = begin

  readonly get = async (names: string[]): Promise<(Entry | undefined)[]> => {
    expect(names).toEqual([keySetKey])
    this.reads++
    if (this.isDown) throw new Failure('unavailable', 'down')
    const value = KeySetRecord.encode({ keys: this.keys }).finish()
    return [{ key: keySetKey, version: String(this.version), value }]
  }

  change(keys: SigningKey[]): void {
    this.keys = keys
    this.version++
  }
}

let records: Records
let ring: KeyRing
beforeEach(() => {
  records = new Records()
  ring = createKeyRing({ reader: records, sealKeys: [sealKey], now: () => records.at })
})

const forge = async (header: Record<string, unknown>, jwk: JWK = es256.privateKey) =>
  new SignJWT({ sub: 'x' })
    .setProtectedHeader(header as { alg: string })
    .sign(await importJWK(jwk, header.alg as string))

describe('what the ring signs', () => {
  test.each(['ES256', 'RS256', 'EdDSA'] as const)('it verifies, under its typ only: %s', async (alg) => {
    const jws = await ring.sign({ sub: 'x', exp: 1 }, { alg, typ: 'at+jwt' })
    expect(await ring.verify(jws, { typ: 'at+jwt' })).toMatchObject({ payload: { sub: 'x', exp: 1 }, header: { alg } })
    expect(await ring.verify(jws)).toBeDefined()
    expect(await ring.verify(jws, { typ: 'JWT' })).toBeUndefined()
    expect(records.reads).toBe(1)
  })

  test('is signed by the newest key that is active, and by none that is published only or retired', async () => {
    const [late, next] = await Promise.all([keyOf('ES256', 'late'), keyOf('ES256', 'next')])
    records.change([
      { ...next.record, activeAt: begin + 5_000 },
      { ...es256.record, retiredAt: begin + 5_000 },
      { ...late.record, retiredAt: begin },
    ])
    const signed = async () => (await ring.verify(await ring.sign({}, { alg: 'ES256', typ: 'JWT' })))!.header.kid
    expect(await signed()).toBe('one')
    records.at += 5_000
    expect(await signed()).toBe('next')
    expect((await ring.publicKeys()).map(({ kid }) => kid)).toEqual(['next', 'one', 'late'])
    records.change([])
    records.at += limits.refreshMs
    await expect(signed()).rejects.toMatchObject({ code: 'internal' })
  })
})

describe('what is not ours', () => {
  test('is nothing: another key under our kid, no kid, another algorithm, garbage', async () => {
    expect(await ring.verify(await forge({ alg: 'ES256', kid: 'one' }))).toBeDefined()
    expect(await ring.verify(await forge({ alg: 'ES256', kid: 'one' }, stranger.privateKey))).toBeUndefined()
    expect(await ring.verify(await forge({ alg: 'ES256' }))).toBeUndefined()
    expect(await ring.verify(await forge({ alg: 'PS256', kid: 'two' }, rs256.privateKey))).toBeUndefined()
    const good = await forge({ alg: 'ES256', kid: 'one' })
    const [head, , signature] = good.split('.')
    for (const bad of [
      '',
      'a',
      '..',
      `${head}..${signature}`,
      `${head}.${text({ sub: 'y' })}.${signature}`,
      `${good}A`,
    ]) {
      expect(await ring.verify(bad)).toBeUndefined()
    }
    expect(await ring.verify(`${good.slice(0, 10)}${'A'.repeat(limits.jwsCharacters)}`)).toBeUndefined()
  })

  test('is nothing where it is not signed at all, or with our public key as a shared secret', async () => {
    for (const alg of ['none', 'None', 'NONE']) {
      for (const signature of ['', 'AAAA']) {
        expect(await ring.verify(`${text({ alg, kid: 'one' })}.${text({ sub: 'x' })}.${signature}`)).toBeUndefined()
      }
    }
    const spki = await exportSPKI((await importJWK(rs256.publicKey, 'RS256', { extractable: true })) as CryptoKey)
    for (const secret of [spki, rs256.record.publicJwk, rs256.publicKey.n!]) {
      for (const alg of ['HS256', 'RS256']) {
        const body = `${text({ alg, kid: 'two' })}.${text({ sub: 'x' })}`
        const tag = createHmac('sha256', secret).update(body).digest('base64url')
        expect(await ring.verify(`${body}.${tag}`)).toBeUndefined()
      }
    }
  })

  test('does not become ours by bringing its key, or by naming where it is: nothing is fetched', async () => {
    const fetched: unknown[] = []
    const { fetch } = globalThis
    globalThis.fetch = async (...asked) => (fetched.push(asked), fetch(...asked))
    try {
      const brought = {
        jwk: stranger.publicKey,
        jku: 'http://127.0.0.1:9/k',
        x5u: 'http://127.0.0.1:9/c',
        x5c: ['AAAA'],
      }
      for (const kid of ['one', 'elsewhere', undefined]) {
        const header = { alg: 'ES256', ...(kid !== undefined && { kid }), ...brought }
        expect(await ring.verify(await forge(header, stranger.privateKey))).toBeUndefined()
      }
    } finally {
      globalThis.fetch = fetch
    }
    expect(fetched).toEqual([])
  })

  test('is whatever says that something must be understood, even signed by our key', async () => {
    const key = await importJWK(es256.privateKey, 'ES256')
    for (const [crit, member] of [
      ['b64', { b64: true }],
      ['x', { x: 1 }],
    ] as const) {
      const header = { alg: 'ES256', kid: 'one', crit: [crit], ...member }
      const signing = new CompactSign(Buffer.from('{}')).setProtectedHeader(header)
      expect(await ring.verify(await signing.sign(key, { crit: { x: true } }))).toBeUndefined()
    }
  })

  test('is a payload that is no object of claims', async () => {
    const key = await importJWK(es256.privateKey, 'ES256')
    for (const payload of ['[]', '"x"', 'null', 'x', '']) {
      const signing = new CompactSign(Buffer.from(payload)).setProtectedHeader({ alg: 'ES256', kid: 'one' })
      expect(await ring.verify(await signing.sign(key))).toBeUndefined()
    }
  })
})

describe('reading the keys', () => {
  test('happens again after a time, and at once for a new kid', async () => {
    await ring.sign({}, { alg: 'ES256', typ: 'JWT' })
    const next = await keyOf('ES256', 'next')
    records.change([...records.keys, next.record])
    records.at += limits.leastRefreshMs
    expect(await ring.verify(await forge({ alg: 'ES256', kid: 'next' }, next.privateKey))).toBeDefined()
    expect(records.reads).toBe(2)
    records.change([es256.record])
    records.at += limits.refreshMs - 1
    const dropped = await forge({ alg: 'ES256', kid: 'next' }, next.privateKey)
    expect(await ring.verify(dropped)).toBeDefined()
    records.at += 1
    expect(await ring.verify(dropped)).toBeUndefined()
  })

  test('is not made to happen more than once a second by a flood of unknown kids', async () => {
    await ring.publicKeys()
    records.at += limits.leastRefreshMs
    const floods = Array.from({ length: 500 }, (_, n) => `${text({ alg: 'ES256', kid: `k${n}` })}.e30.AAAA`)
    for (const jws of floods.slice(0, 100)) await ring.verify(jws)
    const found = await Promise.all(floods.map((jws) => ring.verify(jws)))
    expect(found.filter((each) => each !== undefined)).toEqual([])
    expect(records.reads).toBe(2)
    records.at += limits.leastRefreshMs
    await Promise.all(floods.map((jws) => ring.verify(jws)))
    expect(records.reads).toBe(3)
  })

  test('is not needed while the store is away, once it was done; before, nothing is said', async () => {
    records.isDown = true
    await expect(ring.verify(await forge({ alg: 'ES256', kid: 'one' }))).rejects.toMatchObject({ code: 'unavailable' })
    records.isDown = false
    await ring.publicKeys()
    records.isDown = true
    records.at += limits.refreshMs
    expect(await ring.publicKeys()).toHaveLength(3)
    expect(await ring.verify(await forge({ alg: 'ES256', kid: 'one' }))).toBeDefined()
  })

  test('finds keys that were made after the ring was', async () => {
    records.change([])
    expect(await ring.publicKeys()).toEqual([])
    records.change([es256.record])
    records.at += limits.leastRefreshMs
    expect(await ring.sign({}, { alg: 'ES256', typ: 'JWT' })).toMatch(/^eyJ/)
  })
})

test('what is published of a key is public, whatever its record holds', async () => {
  const publicJwk = JSON.stringify({ ...es256.privateKey, kid: 'other', key_ops: ['sign'] })
  records.change([{ ...es256.record, publicJwk }])
  expect(await ring.publicKeys()).toEqual([{ ...es256.publicKey, kid: 'one', alg: 'ES256', use: 'sig' }])
})
