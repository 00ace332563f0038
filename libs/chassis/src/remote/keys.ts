import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey, type LocalJWKSet } from 'jose'
import { asFailure, Failure, type Millis } from '@countersign/contracts'
import { failedKeysMs, maxRemoteKeys, maxRemoteKeySets, remoteKeysMs, unknownKeyRefetchMs } from '../limits.ts'
import { fetchJson, type RemoteBounds } from './request.ts'

/** The JWK Set at a URL. Both throw Failure `unavailable` when it cannot be had, `invalid_request` when it may not be asked for. */
export interface RemoteKeySource {
  /** The key that a JWS header names, for jose; a key that is unknown has the set fetched again, not too often. */
  readonly key: JWTVerifyGetKey
  keySet(): Promise<JSONWebKeySet>
}

export interface RemoteKeys {
  keysFor(url: string): RemoteKeySource
}

export interface RemoteKeysOptions extends RemoteBounds {
  readonly now: () => Millis
}

const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv']

const isPublicKey = (key: unknown): boolean =>
  typeof key === 'object' && key !== null && 'kty' in key && !privateMembers.some((member) => member in key)

/** @throws Failure `unavailable` unless it is a JWK Set (RFC 7517 section 5) of public keys */
function publicKeySet(document: unknown): JSONWebKeySet {
  const { keys } = Object(document) as { keys?: unknown }
  if (Array.isArray(keys) && keys.length <= maxRemoteKeys && keys.every(isPublicKey)) return { keys }
  throw new Failure('unavailable', 'another server did not answer with public keys')
}

/** Fetches JWK Sets and keeps them for a while, so that no flood of signatures becomes a flood of requests. */
export function createRemoteKeys(options: RemoteKeysOptions): RemoteKeys {
  const sets = new Map<string, RemoteSet>()
  return {
    keysFor(url) {
      const set = sets.get(url) ?? new RemoteSet(url, options)
      // Where it was used last is where it is forgotten last.
      sets.delete(url)
      sets.set(url, set)
      if (sets.size > maxRemoteKeySets) sets.delete(sets.keys().next().value!)
      return set
    },
  }
}

class RemoteSet implements RemoteKeySource {
  readonly #url: string
  readonly #options: RemoteKeysOptions
  #keys: LocalJWKSet | undefined
  #fetchedAt = -Infinity
  #failure: Failure | undefined
  #askedAt = -Infinity
  #asking: Promise<LocalJWKSet> | undefined

  constructor(url: string, options: RemoteKeysOptions) {
    this.#url = url
    this.#options = options
  }

  readonly key: JWTVerifyGetKey = async (header, token) => {
    const keys = await this.#current()
    try {
      return await keys(header, token)
    } catch (thrown) {
      if (!(thrown instanceof errors.JWKSNoMatchingKey)) throw thrown
      if (!this.#asking && this.#isWithin(this.#askedAt, unknownKeyRefetchMs)) throw thrown
      const newer = await this.#ask().catch(() => {
        throw thrown
      })
      return newer(header, token)
    }
  }

  async keySet(): Promise<JSONWebKeySet> {
    return (await this.#current()).jwks()
  }

  /** A clock that was set back makes everything old. */
  #isWithin(since: Millis, ms: number): boolean {
    const age = this.#options.now() - since
    return age >= 0 && age < ms
  }

  async #current(): Promise<LocalJWKSet> {
    if (this.#keys && this.#isWithin(this.#fetchedAt, remoteKeysMs)) return this.#keys
    if (!this.#asking && this.#failure && this.#isWithin(this.#askedAt, failedKeysMs)) throw this.#failure
    return this.#ask()
  }

  /** One request at a time; whoever asks meanwhile waits for its answer. */
  #ask(): Promise<LocalJWKSet> {
    this.#asking ??= this.#fetch().finally(() => (this.#asking = undefined))
    return this.#asking
  }

  async #fetch(): Promise<LocalJWKSet> {
    const { now } = this.#options
    this.#askedAt = now()
    try {
      this.#keys = createLocalJWKSet(publicKeySet(await fetchJson(this.#url, this.#options)))
      this.#fetchedAt = this.#askedAt
      this.#failure = undefined
      return this.#keys
    } catch (thrown) {
      this.#failure = asFailure(thrown)
      throw this.#failure
    }
  }
}
