import {
  accountBehind,
  accountClaims,
  accountKey,
  accountRandomBytes,
  behindIndex,
  changeAccount,
  clearTheWay,
  createAccount,
  firstAccountKey,
  heldAccount,
  loginNameKey,
  newAccountPlace,
  normalizeLoginName,
  noteUse,
  releaseNames,
  takeNames,
  type AccountDraft,
  type AccountPlace,
  type Behind,
  type FreeName,
  type HeldAccount,
} from '@countersign/accounts'
import { Failure, type Millis, type Partition } from '@countersign/contracts'
import type { AccountRecord } from '@countersign/contracts/records'
import type { Key, Store } from '@countersign/store'
import { eventOf, type Asker, type Told } from '@countersign/tokens'
import { limits } from './limits.ts'

export type Account = HeldAccount

/** What an account becomes, and what is told of that. */
export interface AccountChange {
  record: AccountRecord
  /** Of an account that changed; nothing is told of one that was only used. */
  told?: Omit<Told, 'partition' | 'subject'>
}

export interface AccountDirectoryOptions {
  store: Store
  partitions: number
  now: () => Millis
  randomBytes: (bytes: number) => Uint8Array
  commitId: () => string
}

const busy = () => new Failure('conflict', 'somebody else is doing the same; try again', { retryAfterSeconds: 1 })

/** What a new account is made of, and which names it takes. */
export interface NewAccount {
  draft: Omit<AccountDraft, 'id' | 'partition'>
  names: readonly Key[]
  /** Of the event `account.created`, or another. */
  told: Omit<Told, 'partition' | 'subject'>
}

/** Accounts in the store. */
export class AccountDirectory {
  readonly #options: AccountDirectoryOptions

  constructor(options: AccountDirectoryOptions) {
    this.#options = options
  }

  async read(partition: Partition, id: string): Promise<Account | undefined> {
    if (partition >= this.#options.partitions) return undefined
    const [entry] = await this.#options.store.get([accountKey(partition, id)])
    return heldAccount(partition, entry)
  }

  async findByLoginName(written: string): Promise<Account | undefined> {
    const name = normalizeLoginName(written)
    return name === undefined ? undefined : this.find(loginNameKey(name))
  }

  /** The account that a name leads to, and that says so itself. */
  async find(key: Key): Promise<Account | undefined> {
    const { behind } = await this.#look(key)
    return behind.state === 'held' ? behind.account : undefined
  }

  /** Whether there ever was an account. */
  async hasAny(): Promise<boolean> {
    const { behind } = await this.#look(firstAccountKey)
    return behind.state === 'held' || behind.state === 'closed'
  }

  /**
   * Makes an account with a login name.
   * @param asFirst only if it is the first there ever was
   * @returns undefined when the name is taken, or when it was to be the first and is not
   * @throws Failure `invalid_request` when the login name is none
   */
  async create(
    draft: NewAccount['draft'],
    asker: Asker,
    asFirst: boolean,
    told: NewAccount['told'] = { type: 'account.created', reason: asFirst ? 'setup' : '' },
  ): Promise<Account | undefined> {
    const name = normalizeLoginName(draft.loginName)
    if (name === undefined) throw new Failure('invalid_request', 'this cannot be a login name')
    return this.make({ draft, names: [loginNameKey(name)], told }, asker, asFirst)
  }

  /** Makes an account. @returns undefined as for {@link create} */
  async make({ draft, names, told }: NewAccount, asker: Asker, asFirst = false): Promise<Account | undefined> {
    const { store, partitions, now, randomBytes, commitId } = this.#options
    const place = newAccountPlace(randomBytes(accountRandomBytes), partitions)
    const { id, partition } = place
    if (!(await this.#takeAll(place, names, asFirst))) return undefined
    const commit = commitId()
    const event = eventOf(commit, 0, { ...asker, id: asker.id || id }, now(), { ...told, partition, subject: id })
    const creation = createAccount(commit, { ...draft, ...place }, now(), event)
    // Somebody took us for dead.
    if ((await store.commit(creation)) === 'conflict') throw new Failure('conflict', 'this took too long; try again')
    const [put] = creation.puts
    return heldAccount(partition, { key: put!.key, value: put!.value, version: commit })
  }

  /**
   * Changes an account, deciding anew when somebody else has changed it.
   * @param decide gives undefined when there is nothing to change (any more)
   * @returns the account as it is then; undefined when nothing was changed
   */
  async change(
    account: Account,
    asker: Asker,
    decide: (record: AccountRecord) => AccountChange | undefined,
  ): Promise<Account | undefined> {
    let held: Account | undefined = account
    for (let attempt = 0; attempt < limits.attempts; attempt++) {
      if (attempt > 0) held = await this.read(account.partition, account.record.id)
      const change = held && decide(held.record)
      if (!held || !change) return undefined
      const changed = await this.#commit(held, change, asker)
      if (changed) return changed
    }
    throw busy()
  }

  /** Undefined: somebody else has changed it. */
  async #commit(held: Account, change: AccountChange, asker: Asker): Promise<Account | undefined> {
    const { store, now, commitId } = this.#options
    const id = commitId()
    const { partition } = held
    const subject = held.record.id
    const told = change.told && eventOf(id, 0, asker, now(), { ...change.told, partition, subject })
    const commit = told ? changeAccount(id, held, change.record, [told], now()) : noteUse(id, held, change.record)
    return (await store.commit(commit)) === 'conflict' ? undefined : this.#written(held, change, id, now())
  }

  #written({ partition, record }: Account, change: AccountChange, version: string, now: Millis): Account {
    const changedAt = change.told ? now : record.changedAt
    return { partition, version, record: { ...change.record, id: record.id, createdAt: record.createdAt, changedAt } }
  }

  /**
   * Changes an account that takes one more name by it, which is its own once the account says so. The name is taken anew at each
   * attempt, and the account as it was read before that is what is changed: else two accounts could both have it.
   * @param decide as for {@link change}
   * @returns as {@link change}; `taken` when the name is another account's
   */
  async takeWith(
    account: Account,
    key: Key,
    asker: Asker,
    decide: (record: AccountRecord) => AccountChange | undefined,
  ): Promise<Account | 'taken' | undefined> {
    let held: Account | undefined = account
    for (let attempt = 0; attempt < limits.attempts; attempt++) {
      if (attempt > 0) held = await this.read(account.partition, account.record.id)
      const change = held && decide(held.record)
      if (!held || !change) return undefined
      const took = await this.#takeOne(held, key)
      if (took === 'taken') return took
      const changed = took && (await this.#commit(held, change, asker))
      if (changed) return changed
    }
    throw busy()
  }

  /** False: begin again. */
  async #takeOne({ partition, record }: Account, key: Key): Promise<boolean | 'taken'> {
    const { store, now, commitId } = this.#options
    const { entry, behind } = await this.#look(key)
    const isOwn = 'account' in behind && behind.account.record.id === record.id
    if ((behind.state === 'held' && !isOwn) || behind.state === 'closed') return 'taken'
    const clearing = isOwn ? undefined : clearTheWay(commitId(), behind, now())
    if (clearing && (await store.commit(clearing)) === 'conflict') return false
    const taking = takeNames(commitId(), { id: record.id, partition }, [{ key, entry }])
    return (await store.commit(taking)) !== 'conflict'
  }

  /** Gives names back that the account no longer says are its own. */
  async release(account: Account, keys: readonly Key[]): Promise<void> {
    const { store, commitId } = this.#options
    const entries = await store.get([...keys])
    const commit = releaseNames(commitId(), { id: account.record.id }, entries)
    if (commit) await store.commit(commit)
  }

  async #look(key: Key): Promise<{ entry: FreeName['entry']; behind: Behind }> {
    const { store } = this.#options
    const [entry] = await store.get([key])
    const leadsTo = entry && accountBehind(entry)
    const [account] = leadsTo === undefined ? [] : await store.get([leadsTo])
    return { entry, behind: behindIndex(key, entry, account) }
  }

  /** Takes the names of an account, all or none. False when one of them is somebody's. */
  async #takeAll(place: AccountPlace, names: readonly Key[], asFirst: boolean): Promise<boolean> {
    const { store, commitId } = this.#options
    for (let attempt = 0; attempt < limits.attempts; attempt++) {
      const [first, ...wanted] = await Promise.all([firstAccountKey, ...names].map((key) => this.#freed(key)))
      if ((asFirst && !first) || wanted.includes(undefined)) return false
      const free = [...wanted, first].filter((name) => name !== undefined)
      const committed = await store.commit(takeNames(commitId(), place, free))
      if (committed !== 'conflict') return true
    }
    throw busy()
  }

  /** A name that nobody has, or that led to an account which now never will be there, or say that it is its own. */
  async #freed(key: Key): Promise<FreeName | undefined> {
    const { store, now, commitId } = this.#options
    const { entry, behind } = await this.#look(key)
    if (behind.state === 'held' || behind.state === 'closed') return undefined
    const clearing = clearTheWay(commitId(), behind, now())
    if (!clearing || (await store.commit(clearing)) !== 'conflict') return { key, entry }
    const again = await this.#look(key)
    return again.behind.state === 'free' ? { key, entry: again.entry } : undefined
  }
}

/** What its person is called, in words for them. */
export function labelOf({ record }: Account): string {
  const { name, email } = accountClaims(record)
  return record.loginName || email || name || record.identities[0]?.label || record.id
}

/**
 * An address of which it is known that it is theirs. Whoever made an account of ours vouched for its address, and people do not
 * change it themselves; what a provider said of somebody is that provider's to vouch for.
 */
export function emailOf({ record }: Account): string | undefined {
  const { email, email_verified: isVerified } = accountClaims(record)
  return record.loginName !== '' || isVerified === true ? email : undefined
}
