import type { Bus, Consumer, Subscription } from '@countersign/bus'
import { Failure, type FactPush, type Message } from '@countersign/contracts'
import type { Machine } from './machine.ts'
import type { Network } from './network.ts'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'

/** How likely what goes over the bus is lost, comes twice, or comes much later than what was sent after it. */
export interface Losses {
  lost: number
  repeated: number
  late: number
  /** Milliseconds. */
  lateMs: number
}

/** Somebody on a machine who listens. */
interface Listener<T> {
  readonly machine: Machine
  readonly handler: T
}

type Answering = (eventIds: string[]) => Promise<string[]>
type Surveyed = (question: Uint8Array) => Uint8Array | undefined

/** The bus between the processes of a world: it promises nothing, and keeps to that. */
export class WorldBus {
  readonly #scheduler: Scheduler
  readonly #random: Random
  readonly #network: Network
  readonly losses: Losses
  readonly #announced = new Set<Listener<(push: FactPush) => void>>()
  readonly #acknowledged = new Set<Listener<(eventIds: string[]) => void>>()
  readonly #answering = new Set<Listener<Answering>>()
  readonly #surveyed = new Set<Listener<Surveyed>>()
  readonly #consumers = new Set<Listener<Consumer>>()

  constructor(scheduler: Scheduler, random: Random, network: Network, losses: Losses) {
    this.#scheduler = scheduler
    this.#random = random
    this.#network = network
    this.losses = losses
  }

  /** The bus as a process on this machine has it. */
  of(machine: Machine): Bus {
    const listen = <T>(listeners: Set<Listener<T>>, handler: T): Subscription => {
      const listener = { machine, handler }
      const leave = () => listeners.delete(listener)
      listeners.add(listener)
      machine.onCrash(leave)
      return { close: async () => void leave() }
    }
    return {
      publish: (message) => this.#toAll(machine, this.#consumers, (consumer) => deliver(consumer, message)),
      consume: async (consumer) => listen(this.#consumers, consumer),
      acknowledge: (ids) => this.#toAll(machine, this.#acknowledged, (handler) => handler(ids)),
      onAcknowledged: (handler) => listen(this.#acknowledged, handler),
      ask: (ids, deadlineMs) => this.#ask(machine, ids, deadlineMs),
      answer: (handler) => listen(this.#answering, handler),
      announce: (push) => this.#toAll(machine, this.#announced, (handler) => handler(push)),
      onAnnounced: (handler) => listen(this.#announced, handler),
      survey: (question, withinMs) => this.#survey(machine, question, withinMs),
      onSurvey: (handler) => listen(this.#surveyed, handler),
      state: () => (this.#network.between(machine.name, 'bus').isCut ? 'down' : 'up'),
      close: async () => undefined,
    }
  }

  #toAll<T>(from: Machine, listeners: Iterable<Listener<T>>, call: (handler: T) => void): void {
    for (const { machine, handler } of listeners) this.#send(from, machine, () => call(handler))
  }

  #send(from: Machine, to: Machine, call: () => void): void {
    const { lost, repeated, late, lateMs } = this.losses
    const [up, down] = [this.#network.between(from.name, 'bus'), this.#network.between(to.name, 'bus')]
    if (up.isCut || down.isCut || this.#random.chance(lost)) return
    const copies = this.#random.chance(repeated) ? 2 : 1
    for (let copy = 0; copy < copies; copy++) {
      const extraMs = this.#random.chance(late) ? this.#random.next() * lateMs : 0
      to.at(this.#scheduler.nowMs + up.delayMs() + down.delayMs() + extraMs, 'the bus', call)
    }
  }

  #ask(from: Machine, ids: string[], deadlineMs: number): Promise<string[]> {
    return new Promise((resolve, reject) => {
      const { life } = from
      const late = () => reject(new Failure('unavailable', 'the journal did not answer in time'))
      from.clock.after(deadlineMs, late)
      const [answering] = this.#answering
      if (!answering) return late()
      this.#send(from, answering.machine, () => {
        const answered = (held: string[]) =>
          this.#send(answering.machine, from, () => from.life === life && resolve(held))
        answering.handler(ids).then(answered, () => undefined)
      })
    })
  }

  #survey(from: Machine, question: Uint8Array, withinMs: number): Promise<Uint8Array[]> {
    return new Promise((resolve) => {
      const answers: Uint8Array[] = []
      from.clock.after(withinMs, () => resolve(answers))
      for (const { machine, handler } of this.#surveyed) {
        this.#send(from, machine, () => {
          const answer = handler(question)
          if (answer) this.#send(machine, from, () => answers.push(answer))
        })
      }
    })
  }
}

/** What the consumer does not take is left to the relay. */
function deliver({ onBatch }: Consumer, message: Message): void {
  onBatch([message]).catch(() => undefined)
}
