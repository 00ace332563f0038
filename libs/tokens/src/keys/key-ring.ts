import type { KeyObject } from 'node:crypto'
import { importJWK, SignJWT, type CryptoKey, type JWK, type JWTPayload } from 'jose'
import { Failure, type Millis } from '@countersign/contracts'
import { KeySetRecord, type SigningKey } from '@countersign/contracts/records'
import type { Reader } from '@countersign/store'
import type { SigningAlgorithm } from '../client.ts'
import { isSignedBy, readJws } from '../proof/jws.ts'
import { limits } from './limits.ts'
import { keySetKey, openPrivateJwk, publicJwkOf, signerOf } from './signing-key.ts'

/** A JWT that one of our keys signed. Its times are not checked. */
export interface Verified {
  readonly payload: JWTPayload
  readonly header: Readonly<Record<string, unknown>>
}

/** Our signing keys, as they are in the store. Throws Failure `unavailable` while they could not be read at all. */
export interface KeyRing {
  /** Signs with the algorithm's active key, named by `kid`. @throws Failure `internal` when there is none, or it cannot be opened */
  sign(claims: JWTPayload, how: { alg: SigningAlgorithm; typ: string }): Promise<string>
  /**
   * A JWT that one of our published keys signed, with this `typ` where one is given. Undefined for any other: header
   * members that name or bring keys are not looked at, and one that must be understood (`crit`) is refused.
   * Does not check `exp`, `aud` or anything else in it.
   */
  verify(jws: string, expect?: { typ?: string }): Promise<Verified | undefined>
  /** For the JWK Set (RFC 7517 section 5): every published key, as of a second ago at most while the store can be read. */
  publicKeys(): Promise<JWK[]>
}

export interface KeyRingOptions {
  reader: Pick<Reader, 'get'>
  /** The current one first. */
  sealKeys: readonly KeyObject[]
  now: () => Millis
  /** Milliseconds for which the keys are used without reading them again. */
  refreshMs?: number
}

/** Reads the keys when it is used, never by itself. */
export function createKeyRing(options: KeyRingOptions): KeyRing {
  const { sealKeys, now, refreshMs = limits.refreshMs } = options
  const set = new KeySet(options)
  return {
    async sign(claims, { alg, typ }) {
      const active = async (ageMs: number) => {
        const keys = await set.noOlderThan(ageMs)
        const records = keys.map(({ record }) => record)
        return keys[records.indexOf(signerOf(records, alg, now())!)]
      }
      const key = (await active(refreshMs)) ?? (await active(limits.leastRefreshMs))
      if (!key) throw new Failure('internal', `there is no key that signs ${alg}`)
      const { kid } = key.record
      return new SignJWT(claims).setProtectedHeader({ alg, kid, typ }).sign(await key.privateKey(sealKeys))
    },

    async verify(jws, { typ } = {}) {
      const read = readJws(jws, limits.jwsCharacters)
      if (!read || (typ !== undefined && read.header.typ !== typ)) return undefined
      const { kid, alg } = read.header
      if (typeof kid !== 'string') return undefined
      await set.noOlderThan(refreshMs)
      if (!set.find(kid)) await set.noOlderThan(limits.leastRefreshMs)
      const key = set.find(kid)
      return key?.record.alg === alg && (await isSignedBy(jws, await key!.publicKey())) ? read : undefined
    },

    async publicKeys() {
      return (await set.noOlderThan(limits.leastRefreshMs)).map(({ record }) => publicJwkOf(record))
    },
  }
}

/** One key; what is made of it is made once. */
class RingKey {
  readonly record: SigningKey
  #public: CryptoKey | undefined
  #private: CryptoKey | undefined

  constructor(record: SigningKey, before: RingKey | undefined) {
    this.record = record
    if (before?.record.publicJwk !== record.publicJwk) return
    this.#public = before.#public
    this.#private = before.#private
  }

  async publicKey(): Promise<CryptoKey> {
    return (this.#public ??= await imported(publicJwkOf(this.record)))
  }

  async privateKey(sealKeys: readonly KeyObject[]): Promise<CryptoKey> {
    return (this.#private ??= await imported({ ...openPrivateJwk(sealKeys, this.record), alg: this.record.alg }))
  }
}

/** `alg` says what the key is for. */
const imported = async (jwk: JWK): Promise<CryptoKey> => (await importJWK(jwk)) as CryptoKey

/** The record of the keys, read again when it is too old for what is asked. */
class KeySet {
  readonly #options: KeyRingOptions
  #keys: ReadonlyMap<string, RingKey> | undefined
  #version: string | undefined
  #readAt = -Infinity
  #reading: Promise<void> | undefined

  constructor(options: KeyRingOptions) {
    this.#options = options
  }

  find(kid: string): RingKey | undefined {
    return this.#keys?.get(kid)
  }

  /** What is known serves on while the store cannot be read. */
  async noOlderThan(ageMs: number): Promise<readonly RingKey[]> {
    const sinceMs = this.#options.now() - this.#readAt
    // A clock that was set back makes it as good as never read.
    if (!this.#keys || sinceMs < 0 || sinceMs >= ageMs) await (this.#reading ??= this.#read())
    return [...this.#keys!.values()]
  }

  async #read(): Promise<void> {
    const { reader, now } = this.#options
    const beganAt = now()
    try {
      const [entry] = await reader.get([keySetKey])
      if (this.#keys && entry?.version === this.#version) return
      const keys = entry ? KeySetRecord.decode(entry.value).keys : []
      this.#keys = new Map(keys.map((record) => [record.kid, new RingKey(record, this.#keys?.get(record.kid))]))
      this.#version = entry?.version
    } catch (thrown) {
      const isAway = thrown instanceof Failure && thrown.code === 'unavailable'
      if (!isAway || !this.#keys) throw thrown
    } finally {
      this.#readAt = beganAt
      this.#reading = undefined
    }
  }
}
