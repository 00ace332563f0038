import type { Scheduler } from './scheduler.ts'
import type { Trace } from './trace.ts'

/** Something that ends tokens: acknowledged at a time, unless it never was, or was lost again. */
export interface Revocation {
  readonly what: string
  readonly beganMs: number
  acknowledgedMs: number | undefined
  /** What it was acknowledged with. */
  revisions: string[]
  /** When it was said that nothing answers from before it any more. */
  enforcedMs: number | undefined
  /** The store was set back to before it: what it had acknowledged is excused. */
  isLost: boolean
}

/** A token, as whoever holds it knows it. */
export interface KnownToken {
  readonly number: number
  readonly token: string
  readonly key: string
  readonly clientId: string
  readonly grantId: string
  readonly sessionId: string
  readonly subject: string
  readonly partition: number
  readonly revocations: Revocation[]
  /** Not active any more for another reason than a revocation: the store was set back to before it. */
  isGone: boolean
}

export interface Verification {
  readonly by: string
  readonly beganMs: number
  /** Undefined: it was made up, and nobody ever issued it. */
  readonly token: KnownToken | undefined
  /** B of whoever verifies. */
  readonly boundMs: number
  /** It was to come from no older view than that of this revocation. */
  readonly after: Revocation | undefined
}

export interface Violation {
  kind:
    | 'revoked_but_active'
    | 'older_than_asked_for'
    | 'enforced_but_active'
    | 'never_issued_but_active'
    | 'good_but_inactive'
    | 'false_alarm'
    | 'event_lost'
    | 'does_not_heal'
    | 'error'
  atMs: number
  text: string
}

export interface Figures {
  verifications: number
  active: number
  inactive: number
  failed: number
  revocations: number
  lostRevocations: number
  /** Revocations that were said to be enforced. */
  enforced: number
  tokens: number
  /** Verdicts from SDK caches, and from replicas' caches. */
  hits: number
  serviceHits: number
  probes: number
  facts: number
  flushes: number
  rollbacks: number
  events: number
  republished: number
}

export const noFigures = (): Figures => ({
  ...{
    verifications: 0,
    active: 0,
    inactive: 0,
    failed: 0,
    revocations: 0,
    lostRevocations: 0,
    enforced: 0,
    tokens: 0,
  },
  ...{ hits: 0, serviceHits: 0, probes: 0, facts: 0, flushes: 0, rollbacks: 0, events: 0, republished: 0 },
})

/** Sees everything, on one clock, and knows what must not be. */
export class Checker {
  readonly #scheduler: Scheduler
  readonly #trace: Trace
  readonly violations: Violation[] = []
  readonly figures = noFigures()
  readonly tokens: KnownToken[] = []
  /** When the store was last set back. */
  wentBackMs: number | undefined

  constructor(scheduler: Scheduler, trace: Trace) {
    this.#scheduler = scheduler
    this.#trace = trace
  }

  /** A verification came to a verdict. */
  judge(verification: Verification, isActive: boolean): void {
    const { by, beganMs, token, boundMs, after } = verification
    const { figures } = this
    figures.verifications++
    figures[isActive ? 'active' : 'inactive']++
    const told = () => `${by}: token ${token?.number ?? 'made up'} is ${isActive ? 'active' : 'inactive'}`
    this.#trace.note(this.#scheduler.nowMs, isActive ? 'active' : 'inactive')
    this.#trace.tell(this.#scheduler.nowMs, () => `${told()}, asked at ${beganMs.toFixed(3)}`)
    if (!token) {
      if (isActive) this.violated('never_issued_but_active', told())
      return
    }
    if (!isActive) {
      if (token.revocations.length === 0 && !token.isGone) this.violated('good_but_inactive', told())
      return
    }
    for (const { what, acknowledgedMs, enforcedMs, isLost } of token.revocations) {
      if (acknowledgedMs === undefined || isLost) continue
      if (enforcedMs !== undefined && beganMs > enforcedMs && this.wentBackMs === undefined) {
        this.violated(
          'enforced_but_active',
          `${told()}, asked at ${beganMs.toFixed(3)}; ${what} enforced at ${enforcedMs.toFixed(3)}`,
        )
      }
      const lateMs = beganMs - acknowledgedMs - boundMs
      if (lateMs > 0) {
        const text = `${told()}, asked at ${beganMs.toFixed(3)}; ${what} acknowledged at ${acknowledgedMs.toFixed(3)}, B = ${boundMs}: ${lateMs.toFixed(3)} ms too late`
        this.violated('revoked_but_active', text)
      }
    }
    if (after?.acknowledgedMs === undefined || after.isLost || after.acknowledgedMs > beganMs) return
    // A revision without its tip is of any history: once the store went back, one of the old history may pass for it.
    if (this.wentBackMs === undefined) {
      this.violated(
        'older_than_asked_for',
        `${told()}, asked at ${beganMs.toFixed(3)} after ${after.revisions.join(' ')}`,
      )
    }
  }

  /** There was no verdict. */
  failed({ by, token }: Verification, why: string): void {
    this.figures.failed++
    this.#trace.note(this.#scheduler.nowMs, 'failed')
    this.#trace.tell(this.#scheduler.nowMs, () => `${by}: token ${token?.number ?? 'made up'}: ${why}`)
  }

  violated(kind: Violation['kind'], text: string): void {
    const atMs = this.#scheduler.nowMs
    this.#trace.note(atMs, kind)
    this.#trace.tell(atMs, () => `VIOLATION ${kind}: ${text}`)
    this.violations.push({ kind, atMs, text })
  }
}
