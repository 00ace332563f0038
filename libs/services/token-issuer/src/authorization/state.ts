import { Failure, type Millis, type Partition } from '@countersign/contracts'
import type { SessionName } from '@countersign/contracts/authorization'
import { ClientRecord, ConsentRecord, SessionRecord, SubjectRecord } from '@countersign/contracts/records'
import type { Entry, Key, Store } from '@countersign/store'
import {
  beginCommit,
  clientKey,
  consentKey,
  isBrowserSession,
  limits as tokenLimits,
  sessionKey,
  sessionPut,
  type Client,
  type Versioned,
} from '@countersign/tokens'

/** A browser's session as it is in the store, good or not. */
export interface BrowserSession {
  readonly partition: Partition
  readonly session: Versioned<SessionRecord>
  readonly subject: Versioned<SubjectRecord> | undefined
}

const sessionIdForm = /^[A-Za-z0-9_-]{43}$/

/** The session of that name, with its subject: one read. */
export async function readSession(
  store: Pick<Store, 'follow'>,
  name: SessionName | undefined,
  partitions: number,
): Promise<BrowserSession | undefined> {
  if (!name || name.partition >= partitions || !sessionIdForm.test(name.id)) return undefined
  const entries = await store.follow(sessionKey(name.partition, name.id))
  const [first, linked] = entries ?? []
  if (!first) return undefined
  return {
    partition: name.partition,
    session: { record: SessionRecord.decode(first.value), version: first.version },
    subject: linked && versioned(linked, SubjectRecord),
  }
}

/** The session of that name, if a browser may go on with it. */
export async function browserOf(
  name: SessionName | undefined,
  { store, partitions, now }: { store: Pick<Store, 'follow'>; partitions: number; now: () => Millis },
): Promise<BrowserSession | undefined> {
  const found = await readSession(store, name, partitions)
  return found && isBrowserSession(found.session.record, found.subject?.record, now()) ? found : undefined
}

/** Notes that a session is in use. Coalesced: it is written once a minute. */
export async function touchSession(
  { partition, session }: BrowserSession,
  { store, now, commitId }: { store: Pick<Store, 'commit'>; now: () => Millis; commitId: () => string },
): Promise<void> {
  const at = now()
  if (at - session.record.usedAt < tokenLimits.sessionUseWrittenMs) return
  const commit = beginCommit({ commitId: commitId() }, partition)
  const put = sessionPut(partition, { ...session.record, usedAt: at })
  commit.checks.push({ key: put.key, version: session.version })
  commit.puts.push(put)
  // A conflict means that somebody else has just used it, or ended it.
  await store.commit(commit)
}

/** What was read in one go, for whoever asks for it piece by piece; anything else is asked of the store. */
export async function readAhead(store: Pick<Store, 'get'>, keys: readonly Key[]): Promise<Pick<Store, 'get'>> {
  const entries = await store.get([...keys])
  const known = new Map(keys.map((key, n) => [key, entries[n]]))
  return {
    get: async (wanted) =>
      wanted.every((key) => known.has(key)) ? wanted.map((key) => known.get(key)) : store.get(wanted),
  }
}

export const versioned = <T>(entry: Entry, codec: { decode(bytes: Uint8Array): T }): Versioned<T> => ({
  record: codec.decode(entry.value),
  version: entry.version,
})

/** What a client and a person have to do with each other, in the person's partition. */
export interface Acquaintance {
  readonly client: Versioned<ClientRecord>
  readonly consent: Versioned<ConsentRecord> | undefined
}

export const acquaintanceKeys = (clientId: string, partition: Partition, subject: string): [Key, Key] => [
  clientKey(partition, clientId),
  consentKey(partition, subject, clientId),
]

/** @throws Failure `access_denied` when the client is disabled or gone */
export async function readAcquaintance(
  store: Pick<Store, 'get'>,
  client: Client,
  partition: Partition,
  subject: string,
): Promise<Acquaintance> {
  const [held, consent] = await store.get(acquaintanceKeys(client.id, partition, subject))
  const record = held && versioned(held, ClientRecord)
  if (!record || record.record.disabledAt !== 0) {
    throw new Failure('access_denied', 'this application is disabled: ask whoever runs it')
  }
  return { client: record, consent: consent && versioned(consent, ConsentRecord) }
}
