import { Failure, type Millis, type Partition } from '@countersign/contracts'
import { AuthorizationRecord, PushedRecord } from '@countersign/contracts/records'
import { keyOf, type Commit, type Key, type Store } from '@countersign/store'
import { beginCommit, limits as tokenLimits, type AuthorizationRequest, type Versioned } from '@countersign/tokens'
import { handleCharacters, handleOf, partitionOfHandle } from '../handle.ts'
import { limits } from '../limits.ts'

export interface RequestsOptions {
  store: Pick<Store, 'get' | 'commit'>
  partitions: number
  authorizationRequestLifetimeMs: Millis
  pushedRequestLifetimeMs: Millis
  now: () => Millis
  commitId: () => string
  randomBytes: (bytes: number) => Uint8Array
}

/** An authorization request in the store, while its person is being asked. */
export interface Pending extends Versioned<AuthorizationRecord> {
  readonly key: Key
  readonly partition: Partition
}

const pushedPrefix = 'urn:ietf:params:oauth:request_uri:'
export const isPushed = (requestUri: string): boolean => requestUri.startsWith(pushedPrefix)

/**
 * The client that a request is of, before it is read, so that what is known of the client can be read with it. Nothing but a
 * hint: anybody can write another one.
 */
export function hintedClient(id: string): string | undefined {
  const hint = Buffer.from(id.slice(handleCharacters), 'base64url').toString('latin1')
  return hint.length <= tokenLimits.clientIdCharacters && /^[\x21-\x7e]+$/.test(hint) ? hint : undefined
}

/** What waits for a browser: authorization requests, and those pushed ahead (RFC 9126). */
export class Requests {
  readonly #options: RequestsOptions

  constructor(options: RequestsOptions) {
    this.#options = options
  }

  /** A request as it is kept while its person is being asked. */
  recordOf(request: AuthorizationRequest, hintedSubject: string): AuthorizationRecord {
    const { now, authorizationRequestLifetimeMs } = this.#options
    const createdAt = now()
    const { isRedirectNamed, maxAgeSeconds, audience, prompts, uiLocales, acrValues, idTokenHint: _, ...rest } = request
    return {
      ...rest,
      redirectNamed: isRedirectNamed,
      audience: [...audience],
      prompts: [...prompts],
      uiLocales: [...uiLocales],
      acrValues: [...acrValues],
      age: maxAgeSeconds === undefined ? undefined : { $case: 'maxAge', value: maxAgeSeconds },
      hintedSubject,
      createdAt,
      expiresAt: createdAt + authorizationRequestLifetimeMs,
    }
  }

  /** @returns what the browser carries to the sign-in page: a handle, and a hint at the client, for {@link hintedClient} */
  async keep(record: AuthorizationRecord): Promise<string> {
    const handle = await this.#put('authorization', AuthorizationRecord.encode(record).finish(), record.expiresAt)
    return handle + Buffer.from(record.clientId).toString('base64url')
  }

  /** Where a request is; undefined for what is none. */
  keyOf(id: string): { key: Key; partition: Partition } | undefined {
    const handle = id.slice(0, handleCharacters)
    const partition = partitionOfHandle(handle, this.#options.partitions)
    return partition === undefined ? undefined : { key: keyOf(partition, `authorization/${handle}`), partition }
  }

  /** @throws Failure `not_found` when it is unknown, expired or was answered */
  async pending(id: string, reader: Pick<Store, 'get'> = this.#options.store): Promise<Pending> {
    const place = this.keyOf(id)
    if (place) {
      const { key, partition } = place
      const [entry] = await reader.get([key])
      const record = entry && AuthorizationRecord.decode(entry.value)
      if (record && record.expiresAt > this.#options.now()) return { key, partition, record, version: entry.version }
    }
    throw new Failure('not_found', 'this sign-in is over or took too long: go back to the application and start again')
  }

  /** Pushes parameters (RFC 9126 section 2). */
  async push(clientId: string, parameters: ReadonlyMap<string, string>): Promise<{ uri: string; expiresIn: number }> {
    const { now, pushedRequestLifetimeMs } = this.#options
    const expiresAt = now() + pushedRequestLifetimeMs
    const record = { clientId, parameters: Object.fromEntries(parameters), expiresAt }
    const handle = await this.#put('pushed', PushedRecord.encode(record).finish(), expiresAt)
    return { uri: pushedPrefix + handle, expiresIn: Math.floor(pushedRequestLifetimeMs / 1_000) }
  }

  /**
   * What was pushed, once (RFC 9126 section 4).
   * @throws Failure `invalid_request` when it is unknown, expired, used, or another client's
   */
  async pull(requestUri: string, clientId: string): Promise<ReadonlyMap<string, string>> {
    const { store, partitions, now, commitId } = this.#options
    const unknown = () =>
      new Failure('invalid_request', 'the application’s request_uri is unknown, expired or was used before')
    const handle = requestUri.slice(pushedPrefix.length)
    const partition = partitionOfHandle(handle, partitions)
    if (partition === undefined) throw unknown()
    const key = keyOf(partition, `pushed/${handle}`)
    const [entry] = await store.get([key])
    const record = entry && PushedRecord.decode(entry.value)
    if (!record || record.expiresAt <= now() || record.clientId !== clientId) throw unknown()
    const commit = takingAway(key, entry.version, { commitId: commitId() }, partition)
    if ((await store.commit(commit)) === 'conflict') throw unknown()
    return new Map(Object.entries(record.parameters))
  }

  async #put(kind: string, value: Uint8Array, expiresAt: Millis): Promise<string> {
    const { store, partitions, commitId, randomBytes } = this.#options
    const random = randomBytes(limits.handleBytes + 1)
    const partition = random[limits.handleBytes]! % partitions
    const handle = handleOf(partition, random)
    const commit = beginCommit({ commitId: commitId() }, partition)
    const key = keyOf(partition, `${kind}/${handle}`)
    commit.checks.push({ key, version: null })
    commit.puts.push({ key, value, expiresAt })
    if ((await store.commit(commit)) === 'conflict') throw new Failure('conflict', 'try again')
    return handle
  }
}

/** A commit that takes something away that must be as it was read. */
export function takingAway(key: Key, version: string, by: { commitId: string }, partition: Partition): Commit {
  const commit = beginCommit(by, partition)
  commit.checks.push({ key, version })
  commit.deletes.push(key)
  return commit
}
