import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, jwtVerify, SignJWT, type CryptoKey, type JWK } from 'jose'
import { failedKeysMs, maxRemoteKeys, maxRemoteKeySets, remoteKeysMs, unknownKeyRefetchMs } from '../limits.ts'
import { createRemoteKeys, type RemoteKeys } from './keys.ts'

let server: Server
let url: string
let document: unknown
let isDown = false
let asked = 0
let time = 0
let remote: RemoteKeys
const pairs: { privateKey: CryptoKey; jwk: JWK; privateJwk: JWK }[] = []

beforeAll(async () => {
  for (const kid of ['a', 'b']) {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
    const named = { ...(await exportJWK(publicKey)), kid }
    pairs.push({ privateKey, jwk: named, privateJwk: { ...(await exportJWK(privateKey)), kid } })
  }
  server = createServer((_, response) => {
    asked++
    response.writeHead(isDown ? 500 : 200).end(JSON.stringify(document))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`
})
afterAll(() => server.close().closeAllConnections())
beforeEach(() => {
  document = { keys: [pairs[0]!.jwk] }
  isDown = false
  asked = 0
  time = 1_000_000
  remote = createRemoteKeys({ allowLoopback: true, now: () => time })
})

const sign = (pair: number, kid = 'ab'[pair]!) =>
  new SignJWT({}).setProtectedHeader({ alg: 'ES256', kid }).sign(pairs[pair]!.privateKey)
const verify = (jwt: string) => jwtVerify(jwt, remote.keysFor(url).key)
const unknown = { code: 'ERR_JWKS_NO_MATCHING_KEY' }

describe('the keys of another server', () => {
  test('are fetched once for many who ask at once, and kept for minutes', async () => {
    const jwt = await sign(0)
    await Promise.all(Array.from({ length: 20 }, () => verify(jwt)))
    expect(await remote.keysFor(url).keySet()).toEqual(document)
    time += remoteKeysMs - 1
    await verify(jwt)
    expect(asked).toBe(1)
    time += 1
    await verify(jwt)
    expect(asked).toBe(2)
  })

  test('are fetched again for a key that is unknown, once in half a minute whatever the flood', async () => {
    await verify(await sign(0))
    time += unknownKeyRefetchMs
    const flood = await Promise.all(Array.from({ length: 50 }, (_, n) => sign(1, `kid-${n}`)))
    for (const result of await Promise.allSettled(flood.map(verify))) expect(result).toMatchObject({ reason: unknown })
    expect(asked).toBe(2)
    time += unknownKeyRefetchMs - 1
    await expect(verify(flood[0]!)).rejects.toMatchObject(unknown)
    expect(asked).toBe(2)
    time += 1
    document = { keys: pairs.map(({ jwk }) => jwk) }
    const rotated = await sign(1)
    await Promise.all([verify(rotated), verify(rotated)])
    expect(asked).toBe(3)
  })

  test('that are known stay good while the other server is down, and no longer than they would anyway', async () => {
    const jwt = await sign(0)
    await verify(jwt)
    isDown = true
    time += unknownKeyRefetchMs
    await expect(verify(await sign(1))).rejects.toMatchObject(unknown)
    expect(asked).toBe(2)
    await verify(jwt)
    time += remoteKeysMs
    await expect(verify(jwt)).rejects.toMatchObject({ code: 'unavailable' })
  })

  test('are not asked for again at once when that failed', async () => {
    isDown = true
    const jwt = await sign(0)
    for (let n = 0; n < 5; n++) await expect(verify(jwt)).rejects.toMatchObject({ code: 'unavailable' })
    expect(asked).toBe(1)
    isDown = false
    time += failedKeysMs
    await verify(jwt)
    expect(asked).toBe(2)
  })

  test('are old when the clock was set back', async () => {
    await verify(await sign(0))
    time -= 1
    await verify(await sign(0))
    expect(asked).toBe(2)
  })

  test('are public ones, in a set, and not too many', async () => {
    const wrong = [
      null,
      [],
      {},
      { keys: {} },
      { keys: ['x'] },
      { keys: [{}] },
      { keys: [pairs[0]!.jwk, pairs[1]!.privateJwk] },
      { keys: [{ kty: 'oct', k: 'c2VjcmV0' }] },
      { keys: Array.from({ length: maxRemoteKeys + 1 }, () => pairs[0]!.jwk) },
    ]
    for (document of wrong) {
      await expect(verify(await sign(0))).rejects.toMatchObject({ code: 'unavailable' })
      time += failedKeysMs
    }
    expect(asked).toBe(wrong.length)
  })

  test('are not asked for where requests may not go', async () => {
    remote = createRemoteKeys({ allowLoopback: false, now: () => time })
    await expect(verify(await sign(0))).rejects.toMatchObject({ code: 'invalid_request' })
    expect(asked).toBe(0)
  })

  test('are forgotten when those of too many others were asked for since', async () => {
    await verify(await sign(0))
    for (let n = 0; n < maxRemoteKeySets; n++) remote.keysFor(`${url}?${n}`)
    await verify(await sign(0))
    expect(asked).toBe(2)
  })
})
