import { Failure, type EventType, type Millis, type Partition } from '@countersign/contracts'
import { ClientOrigin, ClientRecord, GrantRecord } from '@countersign/contracts/records'
import type { Commit, Store } from '@countersign/store'
import { beginCommit, clientKey, system, tell, type Client, type Clients, type ClientState } from '@countersign/tokens'
import { decideAndCommit } from '../decide.ts'
import { limits } from '../limits.ts'
import { isRegisteredId } from '../registration/record.ts'
import { addCopy, copiesOf, deleteCopy, firstHome, readCopy } from './copies.ts'

export interface ClientDirectoryOptions {
  store: Store
  partitions: number
  now: () => Millis
  commitId: () => string
}

/** What the store knows of the clients, wherever they are known from: whether they are disabled, and where their grants live. */
export class ClientDirectory {
  readonly #options: ClientDirectoryOptions
  readonly #states = new Map<string, ClientState>()

  constructor(options: ClientDirectoryOptions) {
    this.#options = options
  }

  /**
   * Brings the store's copies (one in every partition) in line with the configuration, and tells what changed.
   * Clients that registered themselves are left alone.
   * @throws Failure `invalid_request` when a configured id has the form of a registered one
   */
  async reconcile(clients: Clients): Promise<void> {
    const { store, partitions } = this.#options
    for (const client of clients.values()) {
      if (isRegisteredId(client.id)) {
        throw new Failure(
          'invalid_request',
          `the client id ${client.id} has the form of those that register themselves`,
        )
      }
      const home = await this.#home(client)
      for (let partition = 0; partition < partitions; partition++) await this.#writeCopy(client, partition, home)
      await this.#read(client, home)
    }
    for (let partition = 0; partition < partitions; partition++) {
      for (const { id, homePartition } of await copiesOf(store, partition, ClientOrigin.FILE)) {
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
    const { client: record, standingGrant } = await readCopy(this.#options.store, client.id, partition)
    if (!record || !standingGrant) {
      this.#states.delete(client.id)
      throw new Failure('invalid_client', 'this client is not known any more')
    }
    const state: ClientState = {
      partition,
      client: record,
      standingGrant: { record: GrantRecord.decode(standingGrant.value), version: standingGrant.version },
    }
    if (this.#states.size >= limits.clientsHeld) this.#states.clear()
    this.#states.set(client.id, state)
    return state
  }

  /** Writes one partition's copy when it is missing or of another configuration. */
  async #writeCopy({ id, digest }: Client, partition: Partition, homePartition: Partition): Promise<void> {
    const { store, now } = this.#options
    await decideAndCommit(store, async () => {
      const held = await readCopy(store, id, partition)
      const isHome = partition === homePartition
      if (held.client?.record.digest === digest && (held.standingGrant || !isHome)) return undefined
      const commit = this.#begin(partition)
      addCopy(commit, { id, origin: ClientOrigin.FILE, digest, homePartition }, held, now())
      if (isHome) this.#tell(commit, held.client ? 'client.changed' : 'client.created', id)
      return { commit }
    })
  }

  /** Deletes one partition's copy of a client that the file no longer has; its tokens are dead from then on. */
  async #deleteCopy(id: string, partition: Partition, homePartition: Partition): Promise<void> {
    const { store } = this.#options
    await decideAndCommit(store, async () => {
      const { client } = await readCopy(store, id, partition)
      if (!client) return undefined
      const commit = this.#begin(partition)
      deleteCopy(commit, client)
      if (partition === homePartition) this.#tell(commit, 'client.deleted', id)
      return { commit }
    })
  }

  #begin(partition: Partition): Commit {
    return beginCommit({ commitId: this.#options.commitId() }, partition)
  }

  #tell(commit: Commit, type: EventType, clientId: string): void {
    const by = { commitId: commit.id, asker: system, now: this.#options.now() }
    tell(commit, by, { type, clientId, reason: 'config_file' })
  }
}
