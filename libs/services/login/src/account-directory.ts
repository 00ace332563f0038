import {
  accountKey,
  accountRandomBytes,
  createAccount,
  decodeAccount,
  decodeAccountIndex,
  firstAccountKey,
  forsakeAccount,
  loginNameKey,
  newAccountPlace,
  normalizeLoginName,
  takeNames,
  type AccountDraft,
  type FreeName,
} from '@countersign/accounts'
import { Failure, type Millis, type Partition } from '@countersign/contracts'
import type { AccountRecord } from '@countersign/contracts/records'
import type { Key, Store } from '@countersign/store'
import { eventOf, type Asker } from '@countersign/tokens'
import { limits } from './limits.ts'

export interface Account {
  partition: Partition
  record: AccountRecord
}

export interface AccountDirectoryOptions {
  store: Store
  partitions: number
  now: () => Millis
  randomBytes: (bytes: number) => Uint8Array
  commitId: () => string
}

/** Accounts in the store. */
export class AccountDirectory {
  readonly #options: AccountDirectoryOptions

  constructor(options: AccountDirectoryOptions) {
    this.#options = options
  }

  async read(partition: Partition, id: string): Promise<Account | undefined> {
    const [entry] = await this.#options.store.get([accountKey(partition, id)])
    const record = entry && decodeAccount(entry.value)
    return record && { partition, record }
  }

  async findByLoginName(written: string): Promise<Account | undefined> {
    const name = normalizeLoginName(written)
    return name === undefined ? undefined : this.#behind(loginNameKey(name))
  }

  /** Whether there ever was an account. */
  async hasAny(): Promise<boolean> {
    return (await this.#behind(firstAccountKey)) !== undefined
  }

  /**
   * Makes an account.
   * @param asFirst only if it is the first there ever was
   * @returns undefined when the name is taken, or when it was to be the first and is not
   * @throws Failure `invalid_request` when the login name is none
   */
  async create(
    draft: Omit<AccountDraft, 'id' | 'partition'>,
    asker: Asker,
    asFirst: boolean,
  ): Promise<Account | undefined> {
    const name = normalizeLoginName(draft.loginName)
    if (name === undefined) throw new Failure('invalid_request', 'this cannot be a login name')
    const { store, partitions, now, randomBytes, commitId } = this.#options
    const place = newAccountPlace(randomBytes(accountRandomBytes), partitions)
    const { id, partition } = place
    if (!(await this.#take({ ...draft, ...place }, loginNameKey(name), asFirst))) return undefined
    const commit = commitId()
    const told = { type: 'account.created', partition, subject: id, reason: asFirst ? 'setup' : '' } as const
    const event = eventOf(commit, 0, { ...asker, id }, now(), told)
    const committed = await store.commit(createAccount(commit, { ...draft, ...place }, now(), event))
    // Somebody took us for dead.
    if (committed === 'conflict') throw new Failure('conflict', 'this took too long; try again')
    const account = await this.read(partition, id)
    if (!account) throw new Failure('internal', 'an account that was just made is not there')
    return account
  }

  async #behind(indexKey: Key): Promise<Account | undefined> {
    const [entry] = await this.#options.store.get([indexKey])
    if (!entry) return undefined
    const { accountId, partition } = decodeAccountIndex(entry.value)
    return this.read(partition, accountId)
  }

  /** Takes the names of an account. False when one of them is somebody's. */
  async #take(draft: AccountDraft, nameKey: Key, asFirst: boolean): Promise<boolean> {
    const { store, commitId } = this.#options
    for (let attempt = 0; attempt < limits.attempts; attempt++) {
      const name = await this.#freed(nameKey)
      if (!name) return false
      const first = await this.#freed(firstAccountKey)
      if (asFirst && !first) return false
      const committed = await store.commit(takeNames(commitId(), draft, first ? [name, first] : [name]))
      if (committed !== 'conflict') return true
    }
    throw new Failure('conflict', 'somebody else is doing the same; try again', { retryAfterSeconds: 1 })
  }

  /** A name that nobody has, or that led to an account which never came to be and now never will. Undefined: it is taken. */
  async #freed(key: Key): Promise<FreeName | undefined> {
    const { store, now, commitId } = this.#options
    const [entry] = await store.get([key])
    if (!entry) return { key, entry }
    const index = decodeAccountIndex(entry.value)
    const [held] = await store.get([accountKey(index.partition, index.accountId)])
    if (held) return decodeAccount(held.value) ? undefined : { key, entry }
    const committed = await store.commit(forsakeAccount(commitId(), index, now()))
    return committed === 'conflict' ? this.#freedNow(key) : { key, entry }
  }

  async #freedNow(key: Key): Promise<FreeName | undefined> {
    const [entry] = await this.#options.store.get([key])
    return entry && !(await this.#behind(key)) ? { key, entry } : undefined
  }
}
