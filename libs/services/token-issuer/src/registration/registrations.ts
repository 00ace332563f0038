import { timingSafeEqual } from 'node:crypto'
import { Failure, type Millis, type Partition } from '@countersign/contracts'
import { ClientOrigin, ClientRecord, RegistrationRecord, TokenKind } from '@countersign/contracts/records'
import type { Commit, Store } from '@countersign/store'
import {
  beginCommit,
  clientKey,
  scopesOf,
  tell,
  type Asker,
  type TokenFormat,
  type Told,
  type Versioned,
} from '@countersign/tokens'
import { addCopy, copiesOf, deleteCopy, firstHome, listAll, readCopy } from '../clients/copies.ts'
import { decideAndCommit } from '../decide.ts'
import type { ClientMetadata } from './metadata.ts'
import {
  isRegisteredId,
  metadataOf,
  registeredId,
  registrationKey,
  registrationListing,
  registrationRecord,
} from './record.ts'

export interface RegistrationsOptions {
  store: Store
  partitions: number
  format: TokenFormat
  now: () => Millis
  commitId: () => string
  randomBytes: (bytes: number) => Uint8Array
}

/** What is registered of a client: its metadata, and what it and its owner authenticate with. */
export interface RegistrationTerms {
  readonly metadata: ClientMetadata
  /** Empty for a client without a secret. */
  readonly secretHash: string
  readonly tokenDigest: string
}

/** A registration that a registration access token opened. */
export interface Opened {
  readonly registration: Versioned<RegistrationRecord>
  /** Undefined: it is being deleted. */
  readonly metadata: ClientMetadata | undefined
}

/**
 * The clients that registered themselves. A client is there when its record in partition 0 has metadata; that is written
 * after its copies in the other partitions, and taken away before them, so that whatever is half done is no client.
 */
export class Registrations {
  readonly #options: RegistrationsOptions

  constructor(options: RegistrationsOptions) {
    this.#options = options
  }

  /** @throws Failure `conflict` when it was taken for one that was given up */
  async create(
    { metadata, secretHash, tokenDigest }: RegistrationTerms,
    asker: (id: string) => Asker,
    attributes: Told['attributes'],
  ): Promise<RegistrationRecord> {
    const { store, partitions, now, randomBytes } = this.#options
    const id = registeredId(randomBytes(16))
    const key = registrationKey(id)
    const unfinished = registrationRecord({ clientId: id, createdAt: now() })
    const beginning = this.#begin(0)
    beginning.checks.push({ key, version: null })
    beginning.puts.push({ key, value: encode(unfinished), listedIn: [registrationListing] })
    if ((await store.commit(beginning)) === 'conflict') throw conflict()
    const home = firstHome(id, partitions)
    for (let partition = 1; partition < partitions; partition++) await this.#writeCopy(id, partition, home)
    const record: RegistrationRecord = {
      ...unfinished,
      metadata: JSON.stringify(metadata),
      secretHash,
      registrationTokenDigest: tokenDigest,
    }
    const commit = this.#begin(0)
    commit.checks.push({ key, version: beginning.id })
    commit.puts.push({ key, value: encode(record) })
    addCopy(commit, copyTerms(id, home), { client: undefined, standingGrant: undefined }, now())
    this.#tell(commit, asker(id), { type: 'client.created', ...told(id, metadata), attributes })
    if ((await store.commit(commit)) !== 'conflict') return record
    await this.#sweep(id)
    throw conflict()
  }

  /** The registration that a token opens; undefined for every other token, and for a client that is not there. */
  async open(id: string, token: string): Promise<Opened | undefined> {
    const { store, format } = this.#options
    const parsed = format.parse(token)
    if (parsed?.kind !== TokenKind.REGISTRATION || !isRegisteredId(id)) return undefined
    const [entry] = await store.get([registrationKey(id)])
    const record = entry && RegistrationRecord.decode(entry.value)
    if (!record || !isSame(parsed.digest, record.registrationTokenDigest)) return undefined
    return { registration: { record, version: entry.version }, metadata: metadataOf(record) }
  }

  /** Puts other terms in the place of those that were opened; undefined when these have changed meanwhile. */
  async update(
    { registration: { record, version } }: Opened,
    { metadata, secretHash, tokenDigest }: RegistrationTerms,
    asker: Asker,
  ): Promise<RegistrationRecord | undefined> {
    const { store, now } = this.#options
    const key = registrationKey(record.clientId)
    const changed: RegistrationRecord = {
      ...record,
      metadata: JSON.stringify(metadata),
      secretHash,
      registrationTokenDigest: tokenDigest,
      changedAt: now(),
    }
    const commit = this.#begin(0)
    commit.checks.push({ key, version })
    commit.puts.push({ key, value: encode(changed) })
    this.#tell(commit, asker, { type: 'client.changed', ...told(record.clientId, metadata) })
    return (await store.commit(commit)) === 'conflict' ? undefined : changed
  }

  /** Deletes a client with all its tokens. Until that is done everywhere, its token opens it to delete it again. */
  async remove(id: string, token: string, asker: Asker): Promise<boolean> {
    let isOpen = false
    await decideAndCommit(this.#options.store, async () => {
      const opened = await this.open(id, token)
      isOpen = opened !== undefined
      return opened?.metadata && { commit: await this.#undoing(opened.registration, asker, opened.metadata) }
    })
    if (isOpen) await this.#sweep(id)
    return isOpen
  }

  /** Finishes what a process left half done, and gives every client its copy in partitions that are new. */
  async heal(): Promise<void> {
    const { store, partitions } = this.#options
    const homes = new Map<string, Partition>()
    for (const { id, homePartition } of await copiesOf(store, 0, ClientOrigin.REGISTERED)) homes.set(id, homePartition)
    for (const { value } of await listAll(store, registrationListing)) {
      const record = RegistrationRecord.decode(value)
      if (record.metadata === '') await this.#giveUp(record.clientId)
    }
    for (let partition = 1; partition < partitions; partition++) {
      const missing = new Map(homes)
      for (const { id } of await copiesOf(store, partition, ClientOrigin.REGISTERED)) {
        missing.delete(id)
        if (!homes.has(id)) await this.#deleteStray(id, partition)
      }
      for (const [id, home] of missing) {
        await this.#writeCopy(id, partition, home)
        // It may have been deleted meanwhile.
        await this.#deleteStray(id, partition)
      }
    }
  }

  /** Takes an unfinished registration away; whoever is still at it finds it changed. */
  async #giveUp(id: string): Promise<void> {
    const { store, now } = this.#options
    const key = registrationKey(id)
    const claimed = await decideAndCommit(store, async () => {
      const [entry] = await store.get([key])
      const record = entry && RegistrationRecord.decode(entry.value)
      if (!record || record.metadata !== '') return undefined
      const commit = this.#begin(0)
      commit.checks.push({ key, version: entry.version })
      commit.puts.push({ key, value: encode({ ...record, changedAt: now() }) })
      return { commit }
    })
    if (claimed) await this.#sweep(id)
  }

  /** The first commit of a deletion: from here on there is no such client, though its record still opens to its token. */
  async #undoing(
    { record, version }: Versioned<RegistrationRecord>,
    asker: Asker,
    metadata: ClientMetadata,
  ): Promise<Commit> {
    const { store, now } = this.#options
    const { clientId } = record
    const key = registrationKey(clientId)
    const { client } = await readCopy(store, clientId, 0)
    const commit = this.#begin(0)
    commit.checks.push({ key, version })
    commit.puts.push({ key, value: encode({ ...record, metadata: '', secretHash: '', changedAt: now() }) })
    if (client) deleteCopy(commit, client)
    this.#tell(commit, asker, { type: 'client.deleted', ...told(clientId, metadata) })
    return commit
  }

  /** Deletes the copies of a client that is no more, and last what is left of its record. */
  async #sweep(id: string): Promise<void> {
    const { store, partitions } = this.#options
    for (let partition = 1; partition < partitions; partition++) await this.#deleteCopy(id, partition)
    const key = registrationKey(id)
    await decideAndCommit(store, async () => {
      const [entry] = await store.get([key])
      if (!entry || metadataOf(RegistrationRecord.decode(entry.value))) return undefined
      const commit = this.#begin(0)
      commit.checks.push({ key, version: entry.version })
      commit.deletes.push(key)
      return { commit }
    })
  }

  /** A copy is written before its client is there, so one without a registration is left over. */
  async #deleteStray(id: string, partition: Partition): Promise<void> {
    const [entry] = await this.#options.store.get([registrationKey(id)])
    if (!entry) await this.#deleteCopy(id, partition)
  }

  async #writeCopy(id: string, partition: Partition, home: Partition): Promise<void> {
    const { store, now } = this.#options
    await decideAndCommit(store, async () => {
      const held = await readCopy(store, id, partition)
      if (held.client) return undefined
      const commit = this.#begin(partition)
      addCopy(commit, copyTerms(id, home), held, now())
      return { commit }
    })
  }

  async #deleteCopy(id: string, partition: Partition): Promise<void> {
    const { store } = this.#options
    await decideAndCommit(store, async () => {
      const [entry] = await store.get([clientKey(partition, id)])
      if (!entry) return undefined
      const commit = this.#begin(partition)
      deleteCopy(commit, { record: ClientRecord.decode(entry.value), version: entry.version })
      return { commit }
    })
  }

  #begin(partition: Partition): Commit {
    return beginCommit({ commitId: this.#options.commitId() }, partition)
  }

  #tell(commit: Commit, asker: Asker, about: Omit<Told, 'partition'>): void {
    tell(commit, { commitId: commit.id, asker, now: this.#options.now() }, about)
  }
}

const encode = (record: RegistrationRecord): Uint8Array => RegistrationRecord.encode(record).finish()

const conflict = (): Failure => new Failure('conflict', 'the registration was not completed: try again')

const copyTerms = (id: string, homePartition: Partition) => ({
  id,
  origin: ClientOrigin.REGISTERED,
  // What it is registered with is in its registration.
  digest: '',
  homePartition,
})

const told = (clientId: string, { scope }: ClientMetadata) => ({
  clientId,
  reason: 'registration',
  scopes: scopesOf(scope),
})

const isSame = (digest: string, kept: string): boolean =>
  digest.length === kept.length && timingSafeEqual(Buffer.from(digest), Buffer.from(kept))
