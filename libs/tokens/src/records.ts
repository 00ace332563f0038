import type { Entry, Key } from '@countersign/store'
import { keyOf } from '@countersign/store'
import type { Partition } from '@countersign/contracts'
import {
  ClientRecord,
  GrantRecord,
  SessionRecord,
  SubjectRecord,
  TokenRecord,
  type CodeTerms,
} from '@countersign/contracts/records'

export const tokenKey = (partition: Partition, digest: string): Key => keyOf(partition, `token/${digest}`)
export const grantKey = (partition: Partition, id: string): Key => keyOf(partition, `grant/${id}`)
export const clientKey = (partition: Partition, id: string): Key => keyOf(partition, `client/${id}`)
export const subjectKey = (partition: Partition, id: string): Key => keyOf(partition, `subject/${id}`)
export const sessionKey = (partition: Partition, id: string): Key => keyOf(partition, `session/${id}`)

/** What a person agreed that a client may have. */
export const consentKey = (partition: Partition, subject: string, clientId: string): Key =>
  keyOf(partition, `consent/${subject}/${clientId}`)

/** Every client known in a partition. */
export const clientListing = (partition: Partition): Key => keyOf(partition, 'clients')
/** The grants that a person gave, and those given in a session. */
export const subjectGrants = (partition: Partition, subject: string): Key =>
  keyOf(partition, `grants-of-subject/${subject}`)
export const sessionGrants = (partition: Partition, session: string): Key =>
  keyOf(partition, `grants-of-session/${session}`)
/** The codes that were given in a person's name, and what they agreed to. */
export const subjectCodes = (partition: Partition, subject: string): Key =>
  keyOf(partition, `codes-of-subject/${subject}`)
export const subjectConsents = (partition: Partition, subject: string): Key =>
  keyOf(partition, `consents-of-subject/${subject}`)
/** The sessions of a person. */
export const subjectSessions = (partition: Partition, subject: string): Key =>
  keyOf(partition, `sessions-of-subject/${subject}`)

const none = new Uint8Array()
const blank = {
  token: TokenRecord.decode(none),
  grant: GrantRecord.decode(none),
  session: SessionRecord.decode(none),
  subject: SubjectRecord.decode(none),
}

/** Records with what is not given left empty. */
export const tokenRecord = (fields: Partial<TokenRecord>): TokenRecord => ({ ...blank.token, ...fields })
export const grantRecord = (fields: Partial<GrantRecord>): GrantRecord => ({ ...blank.grant, ...fields })
export const sessionRecord = (fields: Partial<SessionRecord>): SessionRecord => ({ ...blank.session, ...fields })
export const subjectRecord = (fields: Partial<SubjectRecord>): SubjectRecord => ({ ...blank.subject, ...fields })

/** A record and the version it was read at. */
export interface Versioned<T> {
  readonly record: T
  readonly version: string
}

/** What a decision about a token is made from; what was absent is undefined. */
export interface Held {
  readonly token: Versioned<TokenRecord>
  /** Tokens that it was exchanged from (RFC 8693), by digest. */
  readonly ancestors?: ReadonlyMap<string, Versioned<TokenRecord>>
  readonly grant?: Versioned<GrantRecord>
  /** The grant's client, and who else the token or its ancestors were issued to. */
  readonly clients?: readonly Versioned<ClientRecord>[]
  readonly subject?: Versioned<SubjectRecord>
  readonly session?: Versioned<SessionRecord>
}

const memoEntries = 10_000

/** Decodes a record once per version: grants and clients are read with every token, and change rarely. */
class Memo<T> {
  readonly #held = new Map<Key, Versioned<T>>()
  readonly #decode: (bytes: Uint8Array) => T

  constructor(decode: (bytes: Uint8Array) => T) {
    this.#decode = decode
  }

  read(entry: Entry): Versioned<T> {
    const known = this.#held.get(entry.key)
    if (known?.version === entry.version) return known
    const versioned = { record: this.#decode(entry.value), version: entry.version }
    if (this.#held.size >= memoEntries) this.#held.clear()
    this.#held.set(entry.key, versioned)
    return versioned
  }
}

/** The client of that id, as it was read with a token. */
export const clientIn = ({ clients }: Held, id: string): Versioned<ClientRecord> | undefined =>
  clients?.find(({ record }) => record.id === id)

/** Whom a token was issued to. */
export const ownerOf = (token: TokenRecord, grant: GrantRecord): string => token.clientId || grant.clientId

/** What a code that was not redeemed yet stands on: the grant that it will make. */
export const asIfGranted = (held: Held, terms: CodeTerms): Held =>
  held.grant || !terms.grant ? held : { ...held, grant: { record: terms.grant, version: '' } }

/** What is wanted together with whatever hangs on a grant. */
export function linksOf(partition: Partition, grant: GrantRecord, clientId: string = grant.clientId): Key[] {
  const links = [grantKey(partition, grant.id), clientKey(partition, grant.clientId)]
  if (clientId !== grant.clientId) links.push(clientKey(partition, clientId))
  if (grant.subject !== '') links.push(subjectKey(partition, grant.subject))
  if (grant.sessionId !== '') links.push(sessionKey(partition, grant.sessionId))
  return links
}

export interface RecordReader {
  /** @param entries what `Reader.follow` answered for a token's key: the token first */
  held(entries: readonly Entry[]): Held
}

export function createRecordReader(): RecordReader {
  const grants = new Memo((bytes) => GrantRecord.decode(bytes))
  const clients = new Memo((bytes) => ClientRecord.decode(bytes))
  const subjects = new Memo((bytes) => SubjectRecord.decode(bytes))
  const sessions = new Memo((bytes) => SessionRecord.decode(bytes))
  return {
    held(entries) {
      const [first, ...linked] = entries
      if (!first) throw new RangeError('no entry to read a token from')
      const held: { -readonly [K in keyof Held]: Held[K] } = {
        token: { record: TokenRecord.decode(first.value), version: first.version },
      }
      const owners: Versioned<ClientRecord>[] = []
      let ancestors: Map<string, Versioned<TokenRecord>> | undefined
      for (const entry of linked) {
        const start = entry.key.indexOf(':') + 1
        if (entry.key.startsWith('grant/', start)) held.grant = grants.read(entry)
        else if (entry.key.startsWith('client/', start)) owners.push(clients.read(entry))
        else if (entry.key.startsWith('token/', start)) {
          const ancestor = { record: TokenRecord.decode(entry.value), version: entry.version }
          ancestors = (ancestors ?? new Map()).set(entry.key.slice(start + 'token/'.length), ancestor)
        } else if (entry.key.startsWith('subject/', start)) held.subject = subjects.read(entry)
        else if (entry.key.startsWith('session/', start)) held.session = sessions.read(entry)
      }
      if (owners.length > 0) held.clients = owners
      if (ancestors) held.ancestors = ancestors
      return held
    },
  }
}
