import { Failure, type Partition } from '@countersign/contracts'
import { ClientRecord, GrantRecord, SessionRecord, SubjectRecord } from '@countersign/contracts/records'
import type { Commit, Committed, Key, Listing, Store } from '@countersign/store'
import {
  addGrantRevocation,
  beginCommit,
  clientKey,
  endSessions,
  endSubject,
  isBrowserSession,
  grantKey,
  revokeGrant,
  sessionGrants,
  sessionKey,
  subjectGrants,
  subjectKey,
  subjectSessions,
  tell,
  toldSubject,
  type Deciding,
  type SubjectEnding,
} from '@countersign/tokens'
import { versioned, type BrowserSession } from '../authorization/state.ts'
import type { ClientSource } from '../clients/source.ts'
import { decideAndCommit } from '../decide.ts'
import { limits } from '../limits.ts'
import { changeInSteps, entriesOf, inSteps } from '../subjects/steps.ts'
import { logoutNotices, noticePut } from './notices.ts'

export interface EndingsOptions {
  store: Store
  partitions: number
  find: ClientSource['find']
  commitId: () => string
  /** Called once notices are in the store: applications of that partition are to be told. */
  wake: (partition: Partition) => void
}

/** Why something ends, and whether it may begin anew. */
export interface Ending {
  readonly disable: boolean
  readonly reason: string
}

/** What remains of a person, and which of their sessions goes on. */
export interface PersonsEnding extends Pick<SubjectEnding, 'as' | 'reason'> {
  /** The id of a session of theirs. */
  readonly keep?: string | undefined
}

/** Ends sessions, people's tokens, grants, and clients' tokens; what has ended before gives undefined. */
export class Endings {
  readonly #options: EndingsOptions

  constructor(options: EndingsOptions) {
    this.#options = options
  }

  /** A browser's session, and those before it that its person had in that browser. */
  async session({ partition, session }: BrowserSession, reason: string, by: Deciding): Promise<Committed | undefined> {
    return this.#sessions(partition, [session.record.id, ...session.record.predecessors], reason, by)
  }

  /** Every session of a person but the browser's, and those before it there. Not all at once: repeated, it goes on where it stood. */
  async otherSessions(
    { partition, session }: BrowserSession,
    reason: string,
    by: Deciding,
  ): Promise<Committed | undefined> {
    const { store, commitId } = this.#options
    const { id: current, subject, predecessors } = session.record
    const ids: string[] = []
    for await (const { value } of entriesOf(store, subjectSessions(partition, subject), limits.sessions)) {
      const { id, endedAt } = SessionRecord.decode(value)
      if (endedAt === 0 && id !== current && !predecessors.includes(id)) ids.push(id)
    }
    let last: Committed | undefined
    for (const some of inSteps(ids)) {
      last = (await this.#sessions(partition, some, reason, { ...by, commitId: commitId() })) ?? last
    }
    return last
  }

  #sessions(
    partition: Partition,
    ids: readonly string[],
    reason: string,
    by: Deciding,
  ): Promise<Committed | undefined> {
    const { store, commitId } = this.#options
    return this.#end(async (again) => {
      const entries = await store.get(ids.map((id) => sessionKey(partition, id)))
      const sessions = entries.flatMap((entry) => (entry ? [versioned(entry, SessionRecord)] : []))
      const commit = endSessions({ partition, sessions, reason }, withFreshId(by, again, commitId))
      const grants = ids.map((id) => sessionGrants(partition, id))
      if (commit) await this.#notify(commit, grants, by)
      return commit
    })
  }

  /** Everything of a person, known here or not. */
  async subject(
    partition: Partition,
    id: string,
    { keep, ...ending }: PersonsEnding,
    by: Deciding,
  ): Promise<Committed> {
    const { store, commitId } = this.#options
    const keys = [subjectKey(partition, id), ...(keep === undefined ? [] : [sessionKey(partition, keep)])]
    const ended = await this.#end(async (again) => {
      const [entry, kept] = await store.get(keys)
      const subject = entry && versioned(entry, SubjectRecord)
      const session = kept && versioned(kept, SessionRecord)
      const isTheirs = isBrowserSession(session?.record, subject?.record, by.now) && session!.record.subject === id
      const held = { partition, id, subject, keep: isTheirs ? session : undefined }
      const commit = endSubject({ ...held, ...ending }, withFreshId(by, again, commitId))
      await this.#notify(commit, [subjectGrants(partition, id)], by)
      return commit
    })
    return ended!
  }

  /** Those of a listing that are of one person; in steps. */
  async grants(
    { partition, subject, listing }: { partition: Partition; subject: string; listing: Listing },
    reason: string,
    by: Deciding,
  ): Promise<Committed | undefined> {
    const { store } = this.#options
    const keys: Key[] = []
    for await (const { key } of entriesOf(store, listing, limits.logoutGrants)) keys.push(key)
    return changeInSteps(this.#options, partition, keys, by, (commit, entry, deciding) => {
      const grant = versioned(entry, GrantRecord)
      if (grant.record.subject === subject) addGrantRevocation(commit, grant, reason, deciding)
    })
  }

  async grant(partition: Partition, id: string, reason: string, by: Deciding): Promise<Committed | undefined> {
    const { store, commitId } = this.#options
    const ended = await decideAndCommit(store, async (again) => {
      const [entry] = await store.get([grantKey(partition, id)])
      const grant = entry && versioned(entry, GrantRecord)
      const commit = grant && revokeGrant({ partition, grant, reason }, withFreshId(by, again, commitId))
      return commit && { commit }
    })
    return ended?.committed
  }

  /** Every token of a client; acknowledged when every partition has it. @throws Failure `not_found` */
  async client(id: string, { disable, reason }: Ending, by: Deciding): Promise<Committed[]> {
    const { store, partitions, commitId } = this.#options
    const all: Committed[] = []
    for (let partition = 0; partition < partitions; partition++) {
      const key = clientKey(partition, id)
      const ended = await decideAndCommit(store, async () => {
        const [entry] = await store.get([key])
        if (!entry) throw new Failure('not_found', 'there is no client of that id')
        const { record, version } = versioned(entry, ClientRecord)
        const fresh = { ...by, commitId: commitId() }
        const commit = beginCommit(fresh, partition)
        const disabledAt = record.disabledAt || (disable ? by.now : 0)
        commit.checks.push({ key, version })
        const value = ClientRecord.encode({ ...record, epoch: record.epoch + 1, disabledAt }).finish()
        commit.puts.push({ key, value })
        commit.facts.push({ kind: 'client', id })
        if (record.homePartition === partition) tell(commit, fresh, { type: 'client.changed', clientId: id, reason })
        return { commit }
      })
      all.push(ended!.committed)
    }
    return all
  }

  async #end(decide: (again: boolean) => Promise<Commit | undefined>): Promise<Committed | undefined> {
    const ended = await decideAndCommit(this.#options.store, async (again) => {
      const commit = await decide(again)
      return commit && { commit }
    })
    if (!ended) return undefined
    const { partition, puts } = ended.commit
    if (puts.some(({ listedIn }) => listedIn?.includes(logoutNotices(partition)))) this.#options.wake(partition)
    return ended.committed
  }

  /** Adds a notice for each application that has a grant there and wants to be told. */
  async #notify(commit: Commit, grants: readonly Listing[], by: Deciding): Promise<void> {
    const seen = new Set<string>()
    let notices = 0
    for await (const grant of this.#grants(grants)) {
      const mark = `${grant.clientId} ${grant.browserSessionId}`
      if (grant.revokedAt !== 0 || seen.has(mark)) continue
      seen.add(mark)
      const client = await this.#options.find(grant.clientId)
      if (!client || client.backchannelLogoutUri === '') continue
      const notice = {
        id: `${commit.id}.${++notices}`,
        clientId: client.id,
        uri: client.backchannelLogoutUri,
        subject: toldSubject(grant),
        sessionId: grant.browserSessionId,
        attempts: 0,
        dueAt: by.now,
        expiresAt: by.now + limits.notice.keptMs,
      }
      commit.puts.push(noticePut(commit.partition, notice))
      if (notices === limits.logoutNotices) return
    }
  }

  async *#grants(listings: readonly Listing[]): AsyncGenerator<GrantRecord> {
    for (const listing of listings) {
      for await (const { value } of entriesOf(this.#options.store, listing, limits.logoutGrants)) {
        yield GrantRecord.decode(value)
      }
    }
  }
}

/** A commit that conflicted was not applied; another one needs another id all the same. */
const withFreshId = (by: Deciding, again: boolean, commitId: () => string): Deciding =>
  again ? { ...by, commitId: commitId() } : by
