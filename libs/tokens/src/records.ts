import type { Entry, Key } from '@countersign/store'
import { keyOf } from '@countersign/store'
import type { Partition } from '@countersign/contracts'
import { ClientRecord, GrantRecord, SessionRecord, SubjectRecord, TokenRecord } from '@countersign/contracts/records'

export const tokenKey = (partition: Partition, digest: string): Key => keyOf(partition, `token/${digest}`)
export const grantKey = (partition: Partition, id: string): Key => keyOf(partition, `grant/${id}`)
export const clientKey = (partition: Partition, id: string): Key => keyOf(partition, `client/${id}`)
export const subjectKey = (partition: Partition, id: string): Key => keyOf(partition, `subject/${id}`)
export const sessionKey = (partition: Partition, id: string): Key => keyOf(partition, `session/${id}`)

/** Every client known in a partition. */
export const clientListing = (partition: Partition): Key => keyOf(partition, 'clients')

/** A record and the version it was read at. */
export interface Versioned<T> {
  readonly record: T
  readonly version: string
}

/** What a decision about a token is made from; what was absent is undefined. */
export interface Held {
  readonly token: Versioned<TokenRecord>
  readonly grant?: Versioned<GrantRecord>
  readonly client?: Versioned<ClientRecord>
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
      for (const entry of linked) {
        const start = entry.key.indexOf(':') + 1
        if (entry.key.startsWith('grant/', start)) held.grant = grants.read(entry)
        else if (entry.key.startsWith('client/', start)) held.client = clients.read(entry)
        else if (entry.key.startsWith('subject/', start)) held.subject = subjects.read(entry)
        else if (entry.key.startsWith('session/', start)) held.session = sessions.read(entry)
      }
      return held
    },
  }
}
