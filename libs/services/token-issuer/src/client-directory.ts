import { hash } from 'node:crypto'
import { Failure, type EventType, type Millis, type Partition } from '@countersign/contracts'
import { ClientOrigin, ClientRecord, GrantRecord } from '@countersign/contracts/records'
import type { Commit, Store } from '@countersign/store'
import {
  clientKey,
  clientListing,
  eventOf,
  grantKey,
  system,
  type Client,
  type Clients,
  type ClientState,
} from '@countersign/tokens'
import { decideAndCommit } from './decide.ts'
import { limits } from './limits.ts'

export interface ClientDirectoryOptions {
  store: Store
  partitions: number
  now: () => Millis
  commitId: () => string
}

/** Where a client's machine grants live, for a client that has no record yet. */
const firstHome = (id: string, partitions: number): Partition =>
  hash('sha256', id, 'buffer').readUInt32BE(0) % partitions

const standingGrantId = (clientId: string): string => `standing.${clientId}`

/** What the store knows of the clients, which are configured elsewhere: whether they are disabled, and where their grants live. */
export class ClientDirectory {
  readonly #options: ClientDirectoryOptions
  readonly #states = new Map<string, ClientState>()

  constructor(options: ClientDirectoryOptions) {
    this.#options = options
  }

  /** Brings the store's copies (one in every partition) in line with the configuration, and tells what changed. */
  async reconcile(clients: Clients): Promise<void> {
    const { partitions } = this.#options
    for (const client of clients.values()) {
      const home = await this.#home(client)
      for (let partition = 0; partition < partitions; partition++) await this.#writeCopy(client, partition, home)
      await this.#read(client, home)
    }
    for (let partition = 0; partition < partitions; partition++) {
      for (const { id, homePartition } of await this.#copiesFromFile(partition)) {
        if (clients.has(id)) continue
        this.#states.delete(id)
        await this.#deleteCopy(id, partition, homePartition)
      }
    }
  }

  /** The client's state as last read, or read now. @throws Failure `invalid_client` when it was deleted meanwhile */
  state(client: Client, fresh: boolean): ClientState | Promise<ClientState> {
    const known = this.#states.get(client.id)
    if (known) return fresh ? this.#read(client, known.partition) : known
    return this.#home(client).then((partition) => this.#read(client, partition))
  }

  async #home(client: Client): Promise<Partition> {
    const { store, partitions } = this.#options
    const [entry] = await store.get([clientKey(0, client.id)])
    return entry ? ClientRecord.decode(entry.value).homePartition : firstHome(client.id, partitions)
  }

  async #read(client: Client, partition: Partition): Promise<ClientState> {
    const keys = [clientKey(partition, client.id), grantKey(partition, standingGrantId(client.id))]
    const [record, grant] = await this.#options.store.get(keys)
    if (!record || !grant) throw new Failure('invalid_client', 'this client is not known any more')
    const state: ClientState = {
      partition,
      client: { record: ClientRecord.decode(record.value), version: record.version },
      standingGrant: { record: GrantRecord.decode(grant.value), version: grant.version },
    }
    this.#states.set(client.id, state)
    return state
  }

  /** Writes one partition's copy when it is missing or of another configuration. */
  async #writeCopy(client: Client, partition: Partition, homePartition: Partition): Promise<void> {
    const { store, now, commitId } = this.#options
    await decideAndCommit(store, async () => {
      const key = clientKey(partition, client.id)
      const grant = grantKey(partition, standingGrantId(client.id))
      const [held, heldGrant] = await store.get([key, grant])
      const before = held && ClientRecord.decode(held.value)
      if (before?.digest === client.digest && (heldGrant || partition !== homePartition)) return undefined
      const commit = emptyCommit(commitId(), partition)
      const value = ClientRecord.encode(clientRecord(client, homePartition, before, now())).finish()
      commit.checks.push({ key, version: held?.version ?? null })
      commit.puts.push({ key, value, listedIn: [clientListing(partition)] })
      if (partition !== homePartition) return { commit }
      if (!heldGrant) {
        commit.checks.push({ key: grant, version: null })
        commit.puts.push({ key: grant, value: standingGrant(client.id, now()), links: [key] })
      }
      this.#tell(commit, before ? 'client.changed' : 'client.created', client.id)
      return { commit }
    })
  }

  /** Deletes one partition's copy of a client that the file no longer has; its tokens are dead from then on. */
  async #deleteCopy(id: string, partition: Partition, homePartition: Partition): Promise<void> {
    const { store, commitId } = this.#options
    await decideAndCommit(store, async () => {
      const key = clientKey(partition, id)
      const [held] = await store.get([key])
      if (!held) return undefined
      const commit = emptyCommit(commitId(), partition)
      commit.checks.push({ key, version: held.version })
      commit.deletes.push(key, grantKey(partition, standingGrantId(id)))
      commit.facts.push({ kind: 'client', id })
      if (partition === homePartition) this.#tell(commit, 'client.deleted', id)
      return { commit }
    })
  }

  #tell(commit: Commit, type: EventType, clientId: string): void {
    const told = { type, partition: commit.partition, clientId, reason: 'config_file' }
    commit.events.push(eventOf(commit.id, 0, system, this.#options.now(), told))
  }

  async #copiesFromFile(partition: Partition): Promise<ClientRecord[]> {
    const found: ClientRecord[] = []
    let after: string | undefined
    do {
      const request = { limit: limits.clientsPerPage, ...(after !== undefined && { after }) }
      const page = await this.#options.store.list(clientListing(partition), request)
      found.push(...page.entries.map(({ value }) => ClientRecord.decode(value)))
      after = page.next
    } while (after !== undefined)
    return found.filter(({ origin }) => origin === ClientOrigin.FILE)
  }
}

const clientRecord = (
  { id, digest }: Client,
  homePartition: Partition,
  before: ClientRecord | undefined,
  now: Millis,
): ClientRecord => ({
  id,
  origin: ClientOrigin.FILE,
  digest,
  homePartition,
  createdAt: before?.createdAt ?? now,
  disabledAt: before?.disabledAt ?? 0,
  epoch: before?.epoch ?? 0,
})

const emptyCommit = (id: string, partition: Partition): Commit => ({
  id,
  partition,
  checks: [],
  puts: [],
  deletes: [],
  events: [],
  facts: [],
})

const standingGrant = (clientId: string, createdAt: Millis): Uint8Array =>
  GrantRecord.encode({
    id: standingGrantId(clientId),
    clientId,
    subject: '',
    sessionId: '',
    scope: '',
    createdAt,
    revokedAt: 0,
  }).finish()
