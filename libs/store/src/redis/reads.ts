import type { Partition } from '@countersign/contracts'
import { maxKeysPerScript } from '../limits.ts'
import type { Entry, Key } from '../port.ts'
import { partitionOf } from '../port.ts'
import type { Connection } from './connection.ts'
import { decodeEntry, linksOf, prefixOf, redisKeyOf } from './encoding.ts'
import { readScript } from './read-scripts.ts'
import { run } from './script.ts'

interface Waiting {
  key: Key
  resolve: (entries: Entry[] | undefined) => void
  reject: (error: unknown) => void
}

/** Reads of one partition that go out together; those to follow come first. */
interface Batch {
  follows: Waiting[]
  gets: Waiting[]
}

/**
 * Gathers the reads of one turn of the event loop into one script call per partition: under load that is one write to
 * the socket and one answer to parse for dozens of reads, and never more than one round trip for any of them.
 */
export class Reads {
  readonly #connection: Connection
  #batches = new Map<Partition, Batch>()

  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** The entry, and what it links to when `follow`; undefined when it is absent. */
  read(key: Key, follow: boolean): Promise<Entry[] | undefined> {
    return new Promise((resolve, reject) => {
      const waiting = { key, resolve, reject }
      const batch = this.#batchOf(partitionOf(key))
      if (follow) batch.follows.push(waiting)
      else batch.gets.push(waiting)
    })
  }

  #batchOf(partition: Partition): Batch {
    if (this.#batches.size === 0) setImmediate(() => this.#flush())
    const found = this.#batches.get(partition)
    if (found && found.follows.length + found.gets.length < maxKeysPerScript) return found
    if (found) void this.#send(partition, found)
    const made = { follows: [], gets: [] }
    this.#batches.set(partition, made)
    return made
  }

  #flush(): void {
    const batches = this.#batches
    this.#batches = new Map()
    for (const [partition, batch] of batches) void this.#send(partition, batch)
  }

  async #send(partition: Partition, { follows, gets }: Batch): Promise<void> {
    const all = [...follows, ...gets]
    const keys = all.map(({ key }) => redisKeyOf(key))
    const args = [...keys, String(follows.length), prefixOf(partition)]
    try {
      const reply = await this.#connection.use((client) => run(client, readScript, keys.length, args))
      deliver(reply as (Buffer | null)[], partition, all, follows.length)
    } catch (error) {
      for (const { reject } of all) reject(error)
    }
  }
}

function deliver(reply: (Buffer | null)[], partition: Partition, all: Waiting[], follows: number): void {
  let next = 0
  for (const [n, { key, resolve }] of all.entries()) {
    const bytes = reply[next++]
    if (!bytes) {
      resolve(undefined)
      continue
    }
    const entries = [decodeEntry(key, bytes)]
    for (const link of n < follows ? linksOf(bytes, partition) : []) {
      const linked = reply[next++]
      if (linked) entries.push(decodeEntry(link, linked))
    }
    resolve(entries)
  }
}
