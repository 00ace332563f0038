import { drainMicrotasks } from './microtasks.ts'
import type { Trace } from './trace.ts'

interface Planned {
  readonly atMs: number
  readonly order: number
  readonly name: string
  call: (() => void) | undefined
}

const isBefore = (a: Planned, b: Planned): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)

/** Virtual time: what is planned happens in order, one after the other, each with all that follows from it at once. */
export class Scheduler {
  readonly #trace: Trace
  readonly #heap: Planned[] = []
  #order = 0
  /** Milliseconds since the world began: the observer's clock. */
  nowMs = 0
  events = 0

  constructor(trace: Trace) {
    this.#trace = trace
  }

  /** Plans a call; gives what takes it back. */
  at(atMs: number, name: string, call: () => void): () => void {
    const planned: Planned = { atMs: Math.max(atMs, this.nowMs), order: this.#order++, name, call }
    this.#push(planned)
    return () => (planned.call = undefined)
  }

  after(ms: number, name: string, call: () => void): () => void {
    return this.at(this.nowMs + ms, name, call)
  }

  /** Goes on until a time, or until there is nothing to wait for. */
  runUntil(untilMs: number, isOver = () => false): void {
    for (let next = this.#heap[0]; next && next.atMs <= untilMs && !isOver(); next = this.#heap[0]) {
      this.#pop()
      const { call, atMs, name } = next
      if (!call) continue
      this.nowMs = atMs
      this.events++
      this.#trace.note(atMs, name)
      call()
      drainMicrotasks()
    }
    if (!isOver()) this.nowMs = Math.max(this.nowMs, untilMs)
  }

  #push(planned: Planned): void {
    const heap = this.#heap
    let at = heap.length
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isBefore(planned, heap[parent]!)) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = planned
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()!
    const size = heap.length
    if (size === 0) return
    let at = 0
    for (let child = 1; child < size; child = 2 * at + 1) {
      if (child + 1 < size && isBefore(heap[child + 1]!, heap[child]!)) child++
      if (!isBefore(heap[child]!, last)) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = last
  }
}
