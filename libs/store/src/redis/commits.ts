import { formatRevision } from '@countersign/contracts'
import { Cluster, Command, type Redis } from 'ioredis'
import type { Committed } from '../port.ts'
import { unavailable } from '../unavailable.ts'
import type { PreparedCommit } from '../validate.ts'
import type { RedisClient } from './client.ts'
import { commitScript } from './commit-script.ts'
import type { Connection } from './connection.ts'
import { encodeEntry, prefixOf, redisKeyOf } from './encoding.ts'
import { run, send, type Argument } from './script.ts'

export interface CommitsOptions {
  /** Nothing else waits on it: a WAIT holds its connection up. */
  connection: Connection
  /** Replicas that must have a commit before it is acknowledged. */
  waitReplicas: number
  timeoutMs: number
  randomEpoch: () => string
}

/** Sends commits to Redis: one script call each, and with `waitReplicas` one WAIT for those of a turn of the event loop. */
export class Commits {
  readonly #options: CommitsOptions
  readonly #acknowledgements = new Map<Redis, Promise<void>>()
  /** For a partition that has none. Never given twice: a store that was wiped must not get its old one. */
  #nextEpoch: string

  constructor(options: CommitsOptions) {
    this.#options = options
    this.#nextEpoch = options.randomEpoch()
  }

  /** Safe to send again: the script knows the ids that it applied. @throws Failure */
  async apply(commit: PreparedCommit): Promise<Committed | 'conflict'> {
    const candidate = this.#nextEpoch
    const { keys, args } = scriptArguments(commit, candidate)
    let epoch: string | undefined = candidate
    try {
      const reply = (await this.#options.connection.use((client) => this.#send(client, commit, keys, args))) as Reply
      epoch = reply[0] === 0 ? undefined : reply[1].toString('latin1')
      return committedOf(commit, reply)
    } finally {
      // Taken, or perhaps taken where no answer came.
      if (epoch === this.#nextEpoch) this.#nextEpoch = this.#options.randomEpoch()
    }
  }

  async #send(client: RedisClient, { partition }: PreparedCommit, keys: number, args: Argument[]): Promise<unknown> {
    if (this.#options.waitReplicas === 0) return run(client, commitScript, keys, args)
    const node = nodeOf(client, prefixOf(partition))
    const answer = (await run(node, commitScript, keys, args)) as Reply
    if (answer[0] === 1) await this.#replicated(node)
    return answer
  }

  /** That this connection's writes so far have reached the replicas. @throws Failure `unavailable` when too few have them. */
  #replicated(node: Redis): Promise<void> {
    const { waitReplicas, timeoutMs } = this.#options
    const found = this.#acknowledgements.get(node)
    if (found) return found
    const made = new Promise((resolve) => setImmediate(resolve)).then(async () => {
      this.#acknowledgements.delete(node)
      const replicas = await send(node, 'wait', [String(waitReplicas), String(Math.floor(timeoutMs / 2))])
      if (Number(replicas) < waitReplicas) throw unavailable('too few replicas have the commit')
    })
    this.#acknowledgements.set(node, made)
    return made
  }
}

/** See the script: a conflict, or the epoch and the numbers. */
type Reply = [0] | [1, Buffer, number, number, number, number, Buffer]

function scriptArguments(commit: PreparedCommit, epoch: string): { keys: number; args: Argument[] } {
  const { id, partition, checks, puts, deletes, facts, encodedEvents } = commit
  const prefix = prefixOf(partition)
  const keys: Argument[] = ['.meta', '.outbox', '.facts', '.applied0', '.applied1'].map((name) => prefix + name)
  for (const { key } of [...checks, ...puts]) keys.push(redisKeyOf(key))
  for (const key of deletes) keys.push(redisKeyOf(key))
  const args: Argument[] = [Buffer.from(id, 'hex'), epoch]
  for (const { length } of [checks, puts, deletes, encodedEvents, facts]) args.push(String(length))
  for (const { version } of checks) args.push(version === null ? '' : Buffer.from(version, 'hex'))
  for (const put of puts) args.push(encodeEntry(put, id), put.expiresAt === undefined ? '' : String(put.expiresAt))
  for (const event of encodedEvents) args.push(Buffer.from(event.buffer, event.byteOffset, event.byteLength))
  for (const { kind, id: about } of facts) args.push(kind, about)
  return { keys: keys.length, args: [...keys, ...args] }
}

function committedOf({ partition }: PreparedCommit, reply: Reply): Committed | 'conflict' {
  if (reply[0] === 0) return 'conflict'
  const [, epoch, sequence, first, backlogEvents, repeated, tip] = reply
  const revision = formatRevision({ partition, epoch: epoch.toString('latin1'), sequence })
  const firstSequence = first === 0 ? undefined : first
  return { revision, previousTip: tip.toString('latin1'), repeated: repeated === 1, firstSequence, backlogEvents }
}

/** The primary of a partition: what WAIT must be asked of. */
function nodeOf(client: RedisClient, prefix: string): Redis {
  if (!(client instanceof Cluster)) return client
  const address = client.slots[new Command('get', [prefix]).getSlot()]?.[0]
  const node = client.nodes('master').find(({ options: { host, port } }) => `${host}:${port}` === address)
  if (!node) throw unavailable('no node of the Redis cluster has this partition')
  return node
}
