import { createRecordReader, isLive } from '@countersign/tokens'
import type { MemoryStore } from '@countersign/store/memory'
import type { Checker, KnownToken, Revocation } from './checker.ts'
import { limits } from './limits.ts'
import type { Scheduler } from './scheduler.ts'
import type { Trace } from './trace.ts'

/** What became of the store itself: it may be set back to what it was, or be another one altogether. */
export class History {
  readonly #store: MemoryStore
  readonly #scheduler: Scheduler
  readonly #checker: Checker
  readonly #trace: Trace
  readonly #disabled = new Map<string, Revocation[]>()
  readonly #revocations = new Set<Revocation>()
  readonly #records = createRecordReader()

  constructor(store: MemoryStore, scheduler: Scheduler, checker: Checker, trace: Trace) {
    this.#store = store
    this.#scheduler = scheduler
    this.#checker = checker
    this.#trace = trace
  }

  /** A client's tokens that come to be known from now on are ended by this, too. */
  disabled(clientId: string, revocation: Revocation): void {
    const known = this.#disabled.get(clientId)
    if (known) known.push(revocation)
    else this.#disabled.set(clientId, [revocation])
  }

  get clientsEnded(): number {
    return this.#disabled.size
  }

  clientsDisabled(clientId: string): readonly Revocation[] {
    return this.#disabled.get(clientId) ?? []
  }

  /** A token's issue that began then has ended now. */
  issued(token: KnownToken, beganMs: number): void {
    if (this.#checker.wentBackMs === undefined || beganMs > this.#checker.wentBackMs) return
    void this.#store.follow(token.key).then((entries) => (token.isGone ||= !entries))
  }

  /** An attempt to revoke that began then was acknowledged now. */
  acknowledged(revocation: Revocation, beganMs: number): void {
    this.#revocations.add(revocation)
    const { wentBackMs, tokens } = this.#checker
    if (wentBackMs === undefined) return
    // The store may have lost what it ended: then there was nothing to end.
    const isOfLost = tokens.some(({ isGone, revocations }) => isGone && revocations.includes(revocation))
    if (isOfLost || beganMs <= wentBackMs) this.#excuse(revocation)
  }

  /** The store is what it was at an earlier time. */
  setBack(snapshot: unknown, takenAtMs: number): void {
    this.#replace(snapshot, `the store is set back to ${takenAtMs.toFixed(3)}`)
    for (const revocation of this.#revocations) {
      if (revocation.acknowledgedMs! >= takenAtMs) this.#excuse(revocation)
    }
    for (const token of this.#checker.tokens) {
      void this.#store.follow(token.key).then((entries) => (token.isGone ||= !entries))
    }
  }

  /** The store is another one: whatever was in it is not any more, and from now on that counts as revoked. */
  exchange(snapshot: unknown): void {
    this.#replace(snapshot, 'the store is another one')
    // Whoever is still at it goes on, and disables the client in this store.
    for (const [clientId, revocations] of this.#disabled) {
      const open = revocations.filter(({ acknowledgedMs }) => acknowledgedMs === undefined)
      this.#disabled.set(clientId, open)
    }
    const atMs = this.#scheduler.nowMs
    const end: Revocation = {
      ...{
        what: 'the end of the store',
        beganMs: atMs,
        acknowledgedMs: atMs,
        enforcedMs: undefined,
        revisions: [],
        isLost: false,
      },
    }
    this.#revocations.add(end)
    for (const token of this.#checker.tokens) {
      token.isGone = true
      token.revocations.push(end)
    }
  }

  #replace(snapshot: unknown, text: string): void {
    this.#store.restore(snapshot)
    this.#checker.wentBackMs = this.#scheduler.nowMs
    this.#trace.tell(this.#scheduler.nowMs, () => text)
  }

  /** What it ended may live again, or never have been there. */
  #excuse(revocation: Revocation): void {
    // A client is disabled by several commits, of which some may be lost.
    if ([...this.#disabled.values()].some((known) => known.includes(revocation))) return this.#lose(revocation)
    const ended = this.#checker.tokens.filter(({ revocations }) => revocations.includes(revocation))
    for (const { key } of ended) {
      void this.#store.follow(key).then((entries) => {
        const isKept = entries && !isLive(this.#records.held(entries), limits.beginningOfTimeMs)
        if (!isKept) this.#lose(revocation)
      })
    }
  }

  #lose(revocation: Revocation): void {
    if (revocation.isLost) return
    revocation.isLost = true
    this.#checker.figures.lostRevocations++
    this.#trace.tell(this.#scheduler.nowMs, () => `${revocation.what} is lost`)
  }
}
