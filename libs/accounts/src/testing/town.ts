import { Event } from '@countersign/contracts/events'
import { AccountIndexRecord } from '@countersign/contracts/records'
import type { Commit, Key } from '@countersign/store'
import { createMemoryStore } from '@countersign/store/memory'
import {
  accountBehind,
  accountKey,
  accountPut,
  accountRecord,
  behindIndex,
  changeAccount,
  clearTheWay,
  createAccount,
  deleteAccount,
  deletionKeys,
  firstAccountKey,
  heldAccount,
  identityKey,
  releaseNames,
  takeIdentity,
  withIdentity,
  withoutIdentity,
  type Behind,
  type HeldAccount,
} from '../index.ts'
import type { Process } from './interleavings.ts'

const partition = 0
const issuer = 'https://upstream.example'
const nothingTold = Event.decode(new Uint8Array())
const told = (commitId: string): Event[] => [
  { ...nothingTold, id: `${commitId}:0`, type: 'account.changed', partition },
]

/** A store in memory, and what people and operators do to accounts in it, a call of the store at a time. */
export class Town {
  readonly store = createMemoryStore({ now: () => this.now })
  now = 1_000
  /** Ids of accounts whose makers were told that they are made. */
  readonly made: string[] = []
  #ids = 0

  readonly commitId = (): string => (++this.#ids).toString(16).padStart(32, '0')
  readonly keyOf = (subject: string): Key => identityKey({ issuer, subject })
  readonly identityOf = (subject: string) => ({ provider: 'p', issuer, subject, label: '', linkedAt: this.now })

  async commit(commit: Commit): Promise<boolean> {
    return (await this.store.commit(commit)) !== 'conflict'
  }

  async account(id: string): Promise<HeldAccount | undefined> {
    const [entry] = await this.store.get([accountKey(partition, id)])
    return heldAccount(partition, entry)
  }

  async look(key: Key) {
    const [entry] = await this.store.get([key])
    const leadsTo = entry && accountBehind(entry)
    const [account] = leadsTo === undefined ? [] : await this.store.get([leadsTo])
    return { entry, behind: behindIndex(key, entry, account) }
  }

  /** Whose account somebody with this identity gets into. */
  async signIn(subject: string): Promise<string | undefined> {
    const { behind } = await this.look(this.keyOf(subject))
    return behind.state === 'held' && behind.account.record.disabledAt === 0 ? behind.account.record.id : undefined
  }

  /** Who says that an identity is theirs. */
  async claimants(subject: string, ids: readonly string[]): Promise<string[]> {
    const accounts = await Promise.all(ids.map((id) => this.account(id)))
    return accounts.flatMap((account) => {
      const isClaimed = account?.record.identities.some((identity) => identity.subject === subject)
      return isClaimed ? [account!.record.id] : []
    })
  }

  /** An account that is there from the start. */
  async settle(id: string, subjects: readonly string[], asFirst = false): Promise<void> {
    const value = AccountIndexRecord.encode({ accountId: id, partition }).finish()
    const keys = [...subjects.map(this.keyOf), ...(asFirst ? [firstAccountKey] : [])]
    const record = accountRecord({ id, identities: subjects.map(this.identityOf), createdAt: 1, changedAt: 1 })
    const puts = [accountPut(partition, record), ...keys.map((key) => ({ key, value }))]
    const nothing = { checks: [], deletes: [], events: [], facts: [] }
    await this.commit({ id: this.commitId(), partition, puts, ...nothing })
  }

  /** False: somebody has it. Undefined: begin again. */
  async *#take(id: string, subject: string): AsyncGenerator<void, boolean | undefined, void> {
    const key = this.keyOf(subject)
    yield
    const [entry] = await this.store.get([key])
    const leadsTo = entry && accountBehind(entry)
    yield
    const [account] = leadsTo === undefined ? [] : await this.store.get([leadsTo])
    const behind: Behind = behindIndex(key, entry, account)
    const isOwn = 'account' in behind && behind.account.record.id === id
    if (behind.state === 'held') return isOwn
    const clearing = isOwn ? undefined : clearTheWay(this.commitId(), behind, this.now)
    if (clearing) {
      yield
      if (!(await this.commit(clearing))) return undefined
    }
    yield
    const taken = await this.commit(takeIdentity(this.commitId(), { id, partition }, this.identityOf(subject), entry))
    return taken || undefined
  }

  /** Somebody with this identity signs in; somebody new gets an account with one of these ids. */
  async *arrive(subject: string, ids: readonly string[]): Process {
    for (const id of ids) {
      const taken = yield* this.#take(id, subject)
      if (taken === false) return
      if (taken === undefined) continue
      const commitId = this.commitId()
      const draft = { id, partition, loginName: '', claims: {}, identities: [this.identityOf(subject)] }
      yield
      if (!(await this.commit(createAccount(commitId, draft, this.now, told(commitId)[0]!)))) continue
      this.made.push(id)
      return
    }
  }

  async *link(id: string, subject: string): Process {
    for (let attempt = 0; attempt < 3; attempt++) {
      yield
      const account = await this.account(id)
      if (!account || account.record.disabledAt !== 0) return
      const taken = yield* this.#take(id, subject)
      if (taken === false) return
      const next = withIdentity(account.record, this.identityOf(subject))
      if (taken === undefined || next === 'too_many') continue
      const commitId = this.commitId()
      yield
      if (await this.commit(changeAccount(commitId, account, next, told(commitId), this.now))) return
    }
  }

  async *unlink(id: string, subject: string): Process {
    yield
    const account = await this.account(id)
    const next = account && withoutIdentity(account.record, { issuer, subject })
    if (!next || typeof next === 'string') return
    const commitId = this.commitId()
    yield
    if (!(await this.commit(changeAccount(commitId, account, next, told(commitId), this.now)))) return
    yield
    const entries = await this.store.get([this.keyOf(subject)])
    const released = releaseNames(this.commitId(), { id }, entries)
    yield
    if (released) await this.commit(released)
  }

  async *delete(id: string): Process {
    for (let attempt = 0; attempt < 4; attempt++) {
      yield
      const account = await this.account(id)
      if (!account) return
      yield
      const indexes = await this.store.get(deletionKeys(account.record))
      const ids = [this.commitId(), this.commitId(), this.commitId()] as const
      let goesOn = true
      for (const commit of deleteAccount(ids, { account, indexes }, told(ids[2])[0]!, this.now)) {
        yield
        goesOn = await this.commit(commit)
        if (!goesOn) break
      }
      if (goesOn) return
    }
  }
}

/** Lets a process go on until it is done. */
export async function finish(process: Process): Promise<void> {
  while (!(await process.next()).done);
}
