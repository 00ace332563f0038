import type { Machine } from './machine.ts'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'
import { limits } from './limits.ts'

/** What lies between two: slow at times, cut at times. */
export class Link {
  readonly #random: Random
  readonly #baseMs: number
  #slowMs = 0
  #cuts = 0
  readonly #onHealed = new Set<() => void>()

  constructor(random: Random, baseMs: number) {
    this.#random = random
    this.#baseMs = baseMs
  }

  get isCut(): boolean {
    return this.#cuts > 0
  }

  /** Milliseconds that something takes over it now. */
  delayMs(): number {
    const usualMs = (this.#baseMs + this.#slowMs) * (0.5 + this.#random.next())
    return this.#random.chance(0.03) ? usualMs + this.#random.exponential(20 * this.#baseMs) : usualMs
  }

  /** Has everything take so many milliseconds more, about. */
  slow(ms: number): void {
    this.#slowMs = ms
  }

  cut(): void {
    this.#cuts++
  }

  heal(): void {
    if (--this.#cuts > 0) return
    const waiting = [...this.#onHealed]
    this.#onHealed.clear()
    for (const call of waiting) call()
  }

  /** Calls now, or once it is not cut any more. */
  whenWhole(call: () => void): void {
    if (this.isCut) this.#onHealed.add(call)
    else call()
  }
}

export class Network {
  readonly #random: Random
  readonly #baseMs: number
  readonly #links = new Map<string, Link>()

  constructor(random: Random, baseMs: number) {
    this.#random = random
    this.#baseMs = baseMs
  }

  between(one: string, other: string): Link {
    const name = one < other ? `${one} ${other}` : `${other} ${one}`
    let link = this.#links.get(name)
    if (!link) this.#links.set(name, (link = new Link(this.#random, this.#baseMs * this.#random.between(0.5, 2))))
    return link
  }

  /** In the order in which they were first used. */
  links(): Link[] {
    return [...this.#links.values()]
  }

  linksOf(name: string): Link[] {
    return [...this.#links].flatMap(([ends, link]) => (ends.split(' ').includes(name) ? [link] : []))
  }
}

/** One end of a stream. */
export interface End {
  readonly machine: Machine
  receive(message: unknown): void
  /** The stream is broken, as far as this end knows. */
  lost(): void
}

/** A connection: in each direction all that was sent arrives in order, or nothing more does. */
export class Stream {
  readonly #scheduler: Scheduler
  readonly #random: Random
  readonly #link: Link
  readonly #ends: readonly [End, End]
  readonly #arrivesAt = [0, 0]
  readonly #unread = [0, 0]
  readonly #isLost = [false, false]
  readonly #forget: (() => void)[] = []
  #brokenAtMs = Infinity

  constructor(scheduler: Scheduler, random: Random, link: Link, ends: readonly [End, End]) {
    this.#scheduler = scheduler
    this.#random = random
    this.#link = link
    this.#ends = ends
    for (const { machine } of ends) this.#forget.push(machine.onCrash(() => this.break()))
  }

  get isBroken(): boolean {
    return this.#brokenAtMs < Infinity
  }

  /** Messages that an end was sent and has not received yet. */
  unread(end: 0 | 1): number {
    return this.#unread[end]!
  }

  /** Sends to one of the ends; what is late by some milliseconds more is overtaken by what is sent after it. */
  send(end: 0 | 1, message: unknown, lateMs?: number): void {
    if (this.isBroken) return
    this.#unread[end]!++
    this.#link.whenWhole(() => {
      const { nowMs } = this.#scheduler
      const arrivesAt = Math.max(this.#arrivesAt[end]!, nowMs + this.#link.delayMs()) + (lateMs ?? 0)
      if (lateMs === undefined) this.#arrivesAt[end] = arrivesAt
      const { machine } = this.#ends[end]
      machine.at(arrivesAt, machine.name, () => {
        this.#unread[end]!--
        // What had arrived before it broke is read, however late.
        if (!this.#isLost[end] && arrivesAt <= this.#brokenAtMs) this.#ends[end].receive(message)
      })
    })
  }

  /** Breaks it: nothing more gets through, and each end notices later, or not at all. */
  break(noticing: readonly [number | undefined, number | undefined] = this.#noticing()): void {
    if (this.isBroken) return
    this.#brokenAtMs = this.#scheduler.nowMs
    for (const forget of this.#forget) forget()
    this.#ends.forEach((end, n) => {
      const inMs = noticing[n]
      if (inMs === undefined) return
      end.machine.at(this.#scheduler.nowMs + inMs, end.machine.name, () => {
        if (this.#isLost[n]) return
        this.#isLost[n] = true
        end.lost()
      })
    })
  }

  /** Ended by one end on purpose: the other hears of it when it hears of it. */
  close(by: 0 | 1): void {
    this.#isLost[by] = true
    this.break(by === 0 ? [undefined, this.#noticing()[1]] : [this.#noticing()[0], undefined])
  }

  /** Who called has to notice one day: it would wait for ever. Who was called may never. */
  #noticing(): [number, number | undefined] {
    const caller = this.#random.next() ** 3 * limits.noticeMs
    return [caller, this.#random.chance(0.2) ? undefined : this.#random.next() ** 2 * 2 * limits.noticeMs]
  }
}
