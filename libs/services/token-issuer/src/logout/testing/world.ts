import { randomBytes } from 'node:crypto'
import { decodeEvent, type Millis, type Partition } from '@countersign/contracts'
import { ClientRecord, SessionRecord, SubjectRecord, type GrantRecord } from '@countersign/contracts/records'
import { newCommitId, type Commit } from '@countersign/store'
import { createMemoryStore } from '@countersign/store/memory'
import {
  addSession,
  beginCommit,
  buildClients,
  clientKey,
  clientListing,
  grantOf,
  grantPut,
  sealKeyFrom,
  Secrets,
  sessionKey,
  subjectKey,
  system,
  type Client,
  type ClientDefinition,
  type Deciding,
} from '@countersign/tokens'
import { createKeyRing } from '@countersign/tokens/keys'
import { versioned, type BrowserSession } from '../../authorization/state.ts'
import { openSigningKeys } from '../../keys/index.ts'
import { Endings } from '../endings.ts'

const hourMs = 3_600_000
export const issuer = 'https://id.example'
export const secrets = new Secrets()
const empty = ClientRecord.decode(new Uint8Array())

/** A store in which people have signed in, and have given grants to clients. */
export class World {
  at: Millis = Date.now()
  readonly now = () => this.at
  readonly partitions: number
  readonly store = createMemoryStore({ now: this.now })
  readonly sealKeys = [sealKeyFrom(randomBytes(32))]
  readonly keyRing = createKeyRing({ reader: this.store, sealKeys: this.sealKeys, now: this.now })
  readonly commitId = newCommitId
  readonly clients: ReadonlyMap<string, Client>
  readonly find = (id: string) => this.clients.get(id)
  readonly woken: Partition[] = []
  readonly endings: Endings

  constructor(definitions: readonly ClientDefinition[], partitions = 1) {
    this.partitions = partitions
    this.clients = buildClients(definitions, [], secrets, { accessTokenMs: hourMs, refreshTokenMs: hourMs })
    this.endings = new Endings({ ...this, wake: (partition) => void this.woken.push(partition) })
  }

  /** With its keys made, and its clients known in every partition. */
  async open(): Promise<this> {
    await openSigningKeys(this)
    for (let partition = 0; partition < this.partitions; partition++) {
      for (const id of this.clients.keys()) {
        const put = { key: clientKey(partition, id), value: ClientRecord.encode({ ...empty, id }).finish() }
        await this.write(partition, (commit) => commit.puts.push({ ...put, listedIn: [clientListing(partition)] }))
      }
    }
    return this
  }

  by(): Deciding {
    return { commitId: newCommitId(), asker: system, now: this.at }
  }

  async write(partition: Partition, fill: (commit: Commit) => unknown): Promise<Commit> {
    const commit = beginCommit(this.by(), partition)
    fill(commit)
    if ((await this.store.commit(commit)) === 'conflict') throw new Error('conflict')
    return commit
  }

  /** @param previous their session in the same browser */
  async signIn(subject: string, partition: Partition = 0, previous?: BrowserSession): Promise<BrowserSession> {
    const [owner] = await this.store.get([subjectKey(partition, subject)])
    const sessionId = randomBytes(32).toString('base64url')
    const how = {
      amr: ['pwd'],
      acr: '',
      idleMs: hourMs,
      absoluteMs: hourMs,
      keptMs: hourMs,
      provider: 'staff',
      roles: [],
      attributes: [],
    }
    const before = owner && versioned(owner, SubjectRecord)
    await this.write(partition, (commit) =>
      addSession(commit, { subject, sessionId, ...how }, before, previous?.session, this.by()),
    )
    return (await this.session(sessionId, partition))!
  }

  async session(id: string, partition: Partition = 0): Promise<BrowserSession | undefined> {
    const [entry] = await this.store.get([sessionKey(partition, id)])
    return entry && { partition, session: versioned(entry, SessionRecord), subject: undefined }
  }

  async isSignedIn({ partition, session }: BrowserSession): Promise<boolean> {
    return (await this.session(session.record.id, partition))!.session.record.endedAt === 0
  }

  async grant(clientId: string, { partition, session }: BrowserSession, toldSubject = ''): Promise<GrantRecord> {
    const client = this.clients.get(clientId)!
    const { record } = session
    const agreed = { client, subject: record.subject, session: record, scope: 'openid', audience: [], claims: '' }
    const id = randomBytes(16).toString('base64url')
    const grant = grantOf({ ...agreed, origin: 'authorization_code', toldSubject }, id, this.at)
    await this.write(partition, (commit) => commit.puts.push(grantPut(partition, grant)))
    return grant
  }

  async told(partition: Partition = 0) {
    return (await this.store.outbox(partition).read(0, 1_000)).map(({ event }) => decodeEvent(event))
  }
}
