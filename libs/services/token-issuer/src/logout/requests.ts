import { Failure, type Millis } from '@countersign/contracts'
import { LogoutRecord } from '@countersign/contracts/records'
import { keyOf, type Store } from '@countersign/store'
import { beginCommit } from '@countersign/tokens'
import { handleOf, partitionOfHandle } from '../handle.ts'
import { limits } from '../limits.ts'

export interface LogoutRequestsOptions {
  store: Pick<Store, 'get' | 'commit'>
  partitions: number
  now: () => Millis
  commitId: () => string
  randomBytes: (bytes: number) => Uint8Array
}

/**
 * Sign-outs that applications asked for. They stay until they expire: whoever loads the page anew, or asks again because
 * the answer was lost, gets the same answer.
 */
export class LogoutRequests {
  readonly #options: LogoutRequestsOptions

  constructor(options: LogoutRequestsOptions) {
    this.#options = options
  }

  /** @returns what the browser carries to the sign-out page */
  async keep(request: Omit<LogoutRecord, 'expiresAt'>): Promise<string> {
    const { store, partitions, now, commitId, randomBytes } = this.#options
    const random = randomBytes(limits.handleBytes + 1)
    const partition = random[limits.handleBytes]! % partitions
    const handle = handleOf(partition, random)
    const expiresAt = now() + limits.logoutRequestMs
    const commit = beginCommit({ commitId: commitId() }, partition)
    const key = keyOf(partition, `logout/${handle}`)
    commit.checks.push({ key, version: null })
    commit.puts.push({ key, value: LogoutRecord.encode({ ...request, expiresAt }).finish(), expiresAt })
    if ((await store.commit(commit)) === 'conflict') throw new Failure('conflict', 'try again')
    return handle
  }

  /** @throws Failure `not_found` when it is unknown or expired */
  async find(handle: string): Promise<LogoutRecord> {
    const { store, partitions, now } = this.#options
    const partition = partitionOfHandle(handle, partitions)
    if (partition !== undefined) {
      const [entry] = await store.get([keyOf(partition, `logout/${handle}`)])
      const record = entry && LogoutRecord.decode(entry.value)
      if (record && record.expiresAt > now()) return record
    }
    throw new Failure('not_found', 'this sign-out took too long: go back to the application and start again')
  }
}
