import { Failure, type Fact, type Partition } from '@countersign/contracts'
import {
  ClientRecord,
  GrantRecord,
  SessionRecord,
  SubjectRecord,
  TokenKind,
  TokenRecord,
} from '@countersign/contracts/records'
import type { Commit, Committed, Key, Store } from '@countersign/store'
import {
  clientKey,
  eventOf,
  grantKey,
  grantRecord,
  sessionKey,
  sessionRecord,
  subjectKey,
  subjectRecord,
  system,
  tokenKey,
  tokenRecord,
  tokenSecretBytes,
} from '@countersign/tokens'
import type { EventType, Millis } from '@countersign/contracts'
import { limits } from './limits.ts'
import { peoplesClient, tokenAudience, type Parties } from './parties.ts'
import type { Random } from './random.ts'

/** Whoever commits. */
export interface Committer {
  readonly store: Store
  readonly random: Random
  readonly now: () => Millis
}

export interface PersonsTokens {
  readonly tokens: { token: string; key: Key }[]
  readonly partition: Partition
  readonly grantId: string
  readonly sessionId: string
  readonly subject: string
}

async function commitTo({ store }: Committer, commit: Commit): Promise<Committed> {
  const committed = await store.commit(commit)
  if (committed === 'conflict') throw new Failure('conflict', 'others were faster')
  return committed
}

function startCommit({ random, now }: Committer, partition: Partition, type: EventType, facts: Fact[]): Commit {
  const id = random.hex(32)
  const event = eventOf(id, 0, system, now(), { type, partition })
  return { id, partition, checks: [], puts: [], deletes: [], events: [event], facts }
}

/** A person consents: one grant, with some tokens. @throws Failure */
export async function consent(by: Committer, { format }: Parties, partition: Partition, count: number) {
  const { random, store, now } = by
  const owner = clientKey(partition, peoplesClient)
  const [client] = await store.get([owner])
  const record = client && ClientRecord.decode(client.value)
  if (!client || record!.disabledAt !== 0) throw new Failure('invalid_client', 'this client is disabled')
  const [grantId, sessionId, subject] = [random.hex(16), random.hex(16), random.hex(16)]
  const links = [grantKey(partition, grantId), owner, subjectKey(partition, subject), sessionKey(partition, sessionId)]
  const commit = startCommit(by, partition, 'grant.created', [])
  commit.checks.push({ key: owner, version: client.version })
  const createdAt = now()
  const grant = grantRecord({ id: grantId, clientId: peoplesClient, subject, sessionId, scope: 'read', createdAt })
  commit.puts.push(
    { key: links[0]!, value: GrantRecord.encode(grant).finish() },
    { key: links[2]!, value: SubjectRecord.encode(subjectRecord({ id: subject })).finish() },
    {
      key: links[3]!,
      value: SessionRecord.encode(sessionRecord({ id: sessionId, subject, startedAt: createdAt })).finish(),
    },
  )
  const expiresAt = createdAt + limits.lifetimeMs
  const tokens = Array.from({ length: count }, () => {
    const { token, digest } = format.mint(TokenKind.ACCESS_TOKEN, partition, random.bytes(tokenSecretBytes))
    const key = tokenKey(partition, digest)
    const told = { grantId, scope: 'read', audience: [tokenAudience], issuedAt: createdAt, expiresAt }
    const kind = TokenKind.ACCESS_TOKEN
    const value = TokenRecord.encode(tokenRecord({ ...told, kind, clientEpoch: record!.epoch })).finish()
    commit.puts.push({ key, value, expiresAt, links })
    return { token, key }
  })
  await commitTo(by, commit)
  return { tokens, partition, grantId, sessionId, subject } satisfies PersonsTokens
}

/**
 * Ends a grant, a session or everything of a subject.
 * @returns the revision; undefined when it had ended before
 * @throws Failure
 */
export async function endOne(
  by: Committer,
  partition: Partition,
  kind: 'grant' | 'session' | 'subject',
  id: string,
): Promise<string | undefined> {
  const at = by.now()
  const { key, type, ended } = {
    grant: {
      key: grantKey(partition, id),
      type: 'grant.revoked' as const,
      ended: (value: Uint8Array) => {
        const record = GrantRecord.decode(value)
        return record.revokedAt === 0 && GrantRecord.encode({ ...record, revokedAt: at }).finish()
      },
    },
    session: {
      key: sessionKey(partition, id),
      type: 'session.ended' as const,
      ended: (value: Uint8Array) => {
        const record = SessionRecord.decode(value)
        return record.endedAt === 0 && SessionRecord.encode({ ...record, endedAt: at }).finish()
      },
    },
    subject: {
      key: subjectKey(partition, id),
      type: 'session.ended' as const,
      ended: (value: Uint8Array) => {
        const record = SubjectRecord.decode(value)
        return record.epoch === 0 && SubjectRecord.encode({ ...record, epoch: 1 }).finish()
      },
    },
  }[kind]
  const [held] = await by.store.get([key])
  const value = held && ended(held.value)
  if (!held || !value) return undefined
  const commit = startCommit(by, partition, type, [{ kind, id }])
  commit.checks.push({ key, version: held.version })
  commit.puts.push({ key, value })
  return (await commitTo(by, commit)).revision
}

/** Disables a client: done once every partition's copy says so. @returns the revisions of those that did not @throws Failure */
export async function disableClient(by: Committer, partitions: number, id: string): Promise<string[]> {
  const revisions: string[] = []
  for (let partition = 0; partition < partitions; partition++) {
    const key = clientKey(partition, id)
    const [held] = await by.store.get([key])
    const record = held && ClientRecord.decode(held.value)
    if (!held || record!.disabledAt !== 0) continue
    const commit = startCommit(by, partition, 'client.changed', [{ kind: 'client', id }])
    commit.checks.push({ key, version: held.version })
    const value = ClientRecord.encode({ ...record!, disabledAt: by.now() }).finish()
    commit.puts.push({ key, value })
    revisions.push((await commitTo(by, commit)).revision)
  }
  return revisions
}
