import { createSecretKey, randomBytes } from 'node:crypto'
import { accountKey, accountPut, accountRecord } from '@countersign/accounts'
import { createLook } from '@countersign/chassis'
import { decodeEvent, Failure } from '@countersign/contracts'
import type { AccountName } from '@countersign/contracts/accounts'
import { ActorKind } from '@countersign/contracts/events'
import type { AccountRecord } from '@countersign/contracts/records'
import { newCommitId, type Commit, type Store } from '@countersign/store'
import { createMemoryStore } from '@countersign/store/memory'
import type { Asker } from '@countersign/tokens'
import { AccountDirectory, type Account } from '../../account-directory.ts'
import { Correspondence } from '../../mail/correspondence.ts'
import type { Letter } from '../../mail/letters.ts'
import { FakeAuthorization } from '../../testing/fake-authorization.ts'
import { accountsCalls, type AccountsCalls, type AccountsOptions, type CallContext } from '../calls.ts'

export const issuer = 'https://auth.example'
export const operator: Asker = {
  kind: ActorKind.OPERATOR,
  id: 'operator',
  address: '192.0.2.7',
  userAgent: 'cli',
  traceparent: '',
}

/** What operators do, over a store in memory. */
export class Office {
  now = 1_800_000_000_000
  readonly store: Store = createMemoryStore({ now: () => this.now })
  readonly authorization = new FakeAuthorization()
  readonly letters: Letter[] = []
  readonly linkKey = createSecretKey(randomBytes(32))
  readonly directory: AccountDirectory
  readonly calls: AccountsCalls
  readonly #options: AccountsOptions

  constructor(options: Partial<AccountsOptions> & { canSend?: boolean } = {}) {
    const common = { partitions: 4, now: () => this.now, commitId: newCommitId }
    this.directory = new AccountDirectory({ ...common, store: this.store, randomBytes })
    const stats = () => ({ sent: 0, failed: 0, retried: 0, waiting: 0 })
    const post = { send: async (letter: Letter) => this.letters.push(letter) > 0, stats, close: async () => {} }
    const look = createLook({ name: 'Example' })
    const correspondence = new Correspondence({
      post: options.canSend === false ? undefined : post,
      look,
      issuer,
      now: common.now,
    })
    this.#options = {
      ...common,
      ...{ store: this.store, directory: this.directory, authorization: this.authorization, correspondence, issuer },
      linkKey: this.linkKey,
      language: 'en',
      localProvider: 'staff',
      operatorOf: async () => operator,
      ...options,
    }
    this.calls = accountsCalls(this.#options)
  }

  /** The same operations, of a process that dies at its n-th commit of the store, before it is written. */
  dyingAt(n: number): AccountsCalls {
    let commits = 0
    const commit = async (given: Commit) => {
      if (++commits >= n) throw new Failure('unavailable', 'the process is gone')
      return this.store.commit(given)
    }
    const store = { ...methodsOf(this.store), commit }
    const directory = new AccountDirectory({ ...this.#options, store, randomBytes })
    return accountsCalls({ ...this.#options, store, directory })
  }

  async add(fields: Partial<AccountRecord> = {}, claims: object = {}): Promise<Account> {
    const { loginName = 'alice', ...rest } = fields
    const account = (await this.directory.create({ loginName, claims }, operator, false))!
    const changed = await this.directory.change(account, operator, (record) => ({ record: { ...record, ...rest } }))
    return changed!
  }

  /** Any number of accounts, in one partition after the other, without their names. */
  async fill(count: number, fieldsOf: (n: number) => Partial<AccountRecord>): Promise<void> {
    for (let n = 0; n < count; n++) {
      const partition = n % 4
      const record = accountRecord({ id: `person-${String(n).padStart(5, '0')}`, createdAt: 1, ...fieldsOf(n) })
      const nothing = { checks: [], deletes: [], events: [], facts: [] }
      await this.store.commit({ id: newCommitId(), partition, puts: [accountPut(partition, record)], ...nothing })
    }
  }

  async record(partition: number, id: string): Promise<AccountRecord | undefined> {
    return (await this.directory.read(partition, id))?.record
  }

  async remains(partition: number, id: string): Promise<Uint8Array | undefined> {
    return (await this.store.get([accountKey(partition, id)]))[0]?.value
  }

  async told(): Promise<ReturnType<typeof decodeEvent>[]> {
    const all = await Promise.all([0, 1, 2, 3].map((partition) => this.store.outbox(partition).read(0, 100)))
    return all.flat().map(({ event }) => decodeEvent(event))
  }

  async toldTypes(): Promise<string[]> {
    return (await this.told()).map(({ type }) => type).filter((type) => type !== 'account.created')
  }
}

/** Who calls does not matter where everybody is an operator. */
export const context: CallContext = { metadata: { get: () => [] }, peerAddress: '', peerCertificate: undefined }

export const named = (loginName: string): AccountName => ({ name: { $case: 'loginName', value: loginName } })
export const withId = (id: string): AccountName => ({ name: { $case: 'id', value: id } })

const methodsOf = (of: Store): Store => ({
  get: (keys) => of.get(keys),
  follow: (key) => of.follow(key),
  list: (listing, page) => of.list(listing, page),
  facts: (partition, after, tip) => of.facts(partition, after, tip),
  commit: (commit) => of.commit(commit),
  outbox: (partition) => of.outbox(partition),
  ping: () => of.ping(),
  close: () => of.close(),
})
