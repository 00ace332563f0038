import type { EventType, Millis, Partition } from '@countersign/contracts'
import { Outcome } from '@countersign/contracts/events'
import { LogoutNoticeRecord } from '@countersign/contracts/records'
import type { Commit, Entry, Store } from '@countersign/store'
import { beginCommit, system, tell, type Client, type Deciding } from '@countersign/tokens'
import type { KeyRing } from '@countersign/tokens/keys'
import type { ClientSource } from '../clients/source.ts'
import { limits } from '../limits.ts'
import { logoutNotices, noticeKey, noticePut } from './notices.ts'
import type { NoticePost } from './post.ts'

export interface LogoutNotifierOptions {
  store: Pick<Store, 'list' | 'commit'>
  partitions: number
  issuer: string
  find: ClientSource['find']
  keyRing: Pick<KeyRing, 'sign'>
  post: NoticePost
  clock: { after(ms: number, call: () => void): () => void }
  log: { warn(fields: object, message: string): void }
  now: () => Millis
  commitId: () => string
}

interface Notice {
  readonly partition: Partition
  readonly record: LogoutNoticeRecord
  readonly version: string
}

/** What waits for one application; it is told of one sign-out after the other, so that a slow one keeps nobody waiting. */
interface Lane {
  readonly waiting: Notice[]
  isBusy: boolean
}

const eventName = 'http://schemas.openid.net/event/backchannel-logout'

/**
 * Tells applications of sign-outs (OpenID Connect Back-Channel Logout 1.0), at least once. Every replica may: whoever puts
 * off a notice's next attempt makes this one.
 */
export class LogoutNotifier {
  readonly #options: LogoutNotifierOptions
  readonly #lanes = new Map<string, Lane>()
  /** Of notices that wait in a lane or are being sent. */
  readonly #known = new Set<string>()
  /** Partitions whose notices are being read; true: they are to be read once more. */
  readonly #reading = new Map<Partition, boolean>()
  readonly #working = new Set<Promise<void>>()
  #sending = 0
  #isStopped = false
  #cancel = (): void => undefined

  constructor(options: LogoutNotifierOptions) {
    this.#options = options
  }

  /** Looks for notices from now on, again and again: also for those that a crash has left. */
  start(): void {
    this.#work(this.#sweep())
  }

  /** Looks for notices of a partition now. */
  nudge(partition: Partition): void {
    if (this.#isStopped) return
    if (this.#reading.has(partition)) this.#reading.set(partition, true)
    else this.#work(this.#read(partition))
  }

  /** Nothing begins from here on; what is being sent is waited for. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#cancel()
    while (this.#working.size > 0) await Promise.all(this.#working)
  }

  #work(work: Promise<void>): void {
    const guarded = work
      .catch((err: unknown) => this.#options.log.warn({ err }, 'applications could not be told of sign-outs'))
      .finally(() => this.#working.delete(guarded))
    this.#working.add(guarded)
  }

  async #sweep(): Promise<void> {
    let failure: unknown
    for (let partition = 0; partition < this.#options.partitions && !this.#isStopped; partition++) {
      if (!this.#reading.has(partition)) await this.#read(partition).catch((thrown: unknown) => (failure = thrown))
    }
    if (!this.#isStopped) this.#cancel = this.#options.clock.after(limits.notice.sweepMs, () => this.start())
    if (failure !== undefined) throw failure
  }

  async #read(partition: Partition): Promise<void> {
    const { store } = this.#options
    try {
      do {
        this.#reading.set(partition, false)
        let after: string | undefined
        do {
          const request = { limit: limits.notice.perPage, ...(after !== undefined && { after }) }
          const page = await store.list(logoutNotices(partition), request)
          for (const entry of page.entries) this.#take(partition, entry)
          after = page.next
        } while (after !== undefined && !this.#isStopped)
      } while (this.#reading.get(partition) && !this.#isStopped)
    } finally {
      this.#reading.delete(partition)
    }
  }

  /** Has a notice wait in its lane, if it is due. What a lane has no room for is found again. */
  #take(partition: Partition, { value, version }: Entry): void {
    const record = LogoutNoticeRecord.decode(value)
    if (record.dueAt > this.#options.now() || this.#known.has(record.id)) return
    const lane = this.#lanes.get(record.clientId) ?? { waiting: [], isBusy: false }
    if (lane.waiting.length >= limits.notice.waitingPerClient) return
    this.#lanes.set(record.clientId, lane)
    this.#known.add(record.id)
    lane.waiting.push({ partition, record, version })
    this.#goOn()
  }

  #goOn(): void {
    for (const [clientId, lane] of this.#lanes) {
      if (this.#isStopped || this.#sending >= limits.notice.atOnce) return
      if (!lane.isBusy) this.#work(this.#handle(clientId, lane))
    }
  }

  async #handle(clientId: string, lane: Lane): Promise<void> {
    lane.isBusy = true
    this.#sending++
    const notice = lane.waiting.shift()!
    try {
      await this.#deliver(notice)
    } finally {
      this.#known.delete(notice.record.id)
      this.#sending--
      lane.isBusy = false
      // To the end of the queue, so that everybody gets his turn.
      this.#lanes.delete(clientId)
      if (lane.waiting.length > 0) this.#lanes.set(clientId, lane)
      this.#goOn()
    }
  }

  async #deliver(notice: Notice): Promise<void> {
    const { record } = notice
    const client = await this.#options.find(record.clientId)
    if (!client) return this.#close(notice, 'client_gone', undefined)
    // Whoever made the last attempt did not live to tell how it ended.
    if (record.attempts >= limits.notice.attempts) return this.#close(notice, 'no_answer', client)
    const claimed = await this.#claim(notice)
    if (!claimed) return
    const failure = await this.#send(claimed.record, client)
    if (failure === undefined || claimed.record.attempts >= limits.notice.attempts) {
      await this.#close(claimed, failure, client)
    }
  }

  /** Counts an attempt and puts the next one off; undefined when another replica was faster. */
  async #claim({ partition, record, version }: Notice): Promise<Notice | undefined> {
    const { store, now } = this.#options
    const { timeoutMs, retryMs } = limits.notice
    const dueAt = now() + timeoutMs + retryMs * 2 ** record.attempts
    const claimed = { ...record, attempts: record.attempts + 1, dueAt }
    const commit = this.#begin(partition)
    commit.checks.push({ key: noticeKey(partition, record.id), version })
    commit.puts.push(noticePut(partition, claimed))
    if ((await store.commit(commit)) === 'conflict') return undefined
    return { partition, record: claimed, version: commit.id }
  }

  /** @returns why the application has not got it; undefined when it has */
  async #send(record: LogoutNoticeRecord, client: Client): Promise<string | undefined> {
    const { keyRing, issuer, post, now } = this.#options
    const { id, attempts, subject, sessionId, uri } = record
    const issuedAt = Math.floor(now() / 1_000)
    const claims = {
      iss: issuer,
      aud: client.id,
      sub: subject,
      ...(sessionId !== '' && { sid: sessionId }),
      iat: issuedAt,
      exp: issuedAt + limits.notice.tokenSeconds,
      // Applications refuse one that they have seen, and may not have got any further with it.
      jti: `${id}.${attempts}`,
      events: { [eventName]: {} },
    }
    const logoutToken = await keyRing.sign(claims, { alg: client.idTokenAlgorithm, typ: 'logout+jwt' })
    try {
      const { status } = await post(uri, { logout_token: logoutToken })
      return status === 200 || status === 204 ? undefined : `status_${status}`
    } catch (err) {
      if (attempts >= limits.notice.attempts)
        this.#options.log.warn({ err, client: client.id }, 'a sign-out was not told')
      return 'no_answer'
    }
  }

  /** Takes a notice away, and tells how it ended. */
  async #close({ partition, record, version }: Notice, failure: string | undefined, client: Client | undefined) {
    const commit = this.#begin(partition)
    const key = noticeKey(partition, record.id)
    commit.checks.push({ key, version })
    commit.deletes.push(key)
    const type: EventType = failure === undefined ? 'logout.notified' : 'logout.failed'
    const by: Deciding = { commitId: commit.id, asker: system, now: this.#options.now() }
    tell(commit, by, {
      type,
      // Events name people as we know them; a pairwise name is the application's.
      subject: client && client.pairwiseSector === undefined ? record.subject : '',
      clientId: record.clientId,
      outcome: failure === undefined ? Outcome.SUCCESS : Outcome.FAILURE,
      ...(failure !== undefined && { reason: failure }),
      attributes: { session: record.sessionId, attempts: String(record.attempts) },
    })
    // A conflict means that another replica has ended it.
    await this.#options.store.commit(commit)
  }

  #begin(partition: Partition): Commit {
    return beginCommit({ commitId: this.#options.commitId() }, partition)
  }
}
