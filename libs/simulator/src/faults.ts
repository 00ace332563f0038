import type { Actors, Traffic } from './traffic.ts'
import type { History } from './history.ts'
import { limits } from './limits.ts'
import type { Machine } from './machine.ts'
import type { Link, Stream } from './network.ts'
import type { Setting } from './setting.ts'
import type { Losses } from './world-bus.ts'
import type { Trouble } from './store-link.ts'

export const faultKinds = [
  'pause',
  'crash',
  'partition',
  'slow_link',
  'broken_stream',
  'bus_loss',
  'store_trouble',
  'clock_jump',
  'clock_drift',
  'rollback',
  'other_store',
  'ambush',
] as const
export type FaultKind = (typeof faultKinds)[number]

export interface FaultTargets extends Actors {
  readonly journal: Machine
  readonly trouble: Trouble
  readonly traffic: Traffic
  /** Streams that are open now. */
  streams(): readonly Stream[]
}

/** Something with an end. */
interface Crashing {
  readonly machine: Machine
  crash(): void
  restart(): void
}

/** Which faults a world may have: few worlds have them all, so that each shows what hides behind the others. */
const likelihood: Record<FaultKind, number> = {
  pause: 0.4,
  crash: 0.3,
  partition: 0.4,
  slow_link: 0.5,
  broken_stream: 0.3,
  bus_loss: 0.6,
  store_trouble: 0.35,
  clock_jump: 0.25,
  clock_drift: 0.25,
  rollback: 0.2,
  other_store: 0.04,
  ambush: 0.3,
}

/** Plans the faults of a world; every one of them is over by the end of its traffic. */
export class Faults {
  readonly #setting: Setting
  readonly #targets: FaultTargets
  readonly #history: History
  readonly #untilMs: number
  #ambushes = 0
  readonly counts: Partial<Record<FaultKind, number>> = {}

  constructor(setting: Setting, targets: FaultTargets, history: History, untilMs: number) {
    this.#setting = setting
    this.#targets = targets
    this.#history = history
    this.#untilMs = untilMs
  }

  plan(foundations: { other: unknown }): void {
    const { random } = this.#setting
    if (random.chance(0.08)) return
    for (const kind of faultKinds) {
      if (!random.chance(likelihood[kind])) continue
      const times = kind === 'rollback' || kind === 'other_store' ? 1 : 1 + random.below(4)
      for (let time = 0; time < times; time++) this.#planOne(kind, foundations.other)
    }
  }

  /** Right after a replica has read a head, something is revoked, and the replica hears nothing more for as long as its lease. */
  ambush({ name }: Machine): void {
    const { random, scheduler, network } = this.#setting
    const replica = this.#targets.replicas.find(({ machine }) => machine.name === name)
    if (!replica || this.#ambushes === 0 || !random.chance(0.1)) return
    this.#ambushes--
    const links = [network.between(name, 'store'), network.between(name, 'bus')]
    this.#episode('ambush', scheduler.nowMs, 0, () => {
      for (const link of links) link.cut()
      this.#targets.traffic.revoke()
      if (random.chance(0.3)) replica.machine.jump(-random.between(0, 1_000))
      const overMs = Math.min(scheduler.nowMs + replica.maxStalenessMs * random.between(1, 1.5), this.#untilMs)
      scheduler.at(overMs, 'over', () => {
        for (const link of links) link.heal()
      })
    })
  }

  #planOne(kind: FaultKind, otherStore: unknown): void {
    const { random } = this.#setting
    const atMs = this.#untilMs * random.between(0.05, 0.9)
    switch (kind) {
      case 'pause':
        return this.#episode(kind, atMs, 500, () => this.#pause())
      case 'crash':
        return this.#episode(kind, atMs, 400, () => this.#crash())
      case 'partition':
        return this.#episode(kind, atMs, 600, () => this.#cut())
      case 'slow_link':
        return this.#episode(kind, atMs, 1_500, () => this.#slow())
      case 'broken_stream':
        return this.#episode(kind, atMs, 0, () => this.#break())
      case 'bus_loss':
        return this.#episode(kind, atMs, 1_500, () => this.#lose())
      case 'store_trouble':
        return this.#episode(kind, atMs, 700, () => this.#trouble())
      case 'clock_jump':
        return this.#episode(kind, atMs, 0, () =>
          this.#machine().jump(random.between(-1, 1) * random.pick([1_000, 10_000, limits.jumpMs])),
        )
      case 'clock_drift':
        return this.#episode(kind, atMs, 0, () =>
          this.#machine().drift(1 + random.pick([-1, 1, random.between(-1, 1)]) * limits.drift),
        )
      case 'rollback':
        return this.#rollback(atMs)
      case 'ambush':
        this.#ambushes++
        return
      case 'other_store':
        return this.#episode(kind, atMs, 0, () => this.#history.exchange(otherStore))
    }
  }

  /** Something that begins at a time and is over after some more. */
  #episode(kind: FaultKind, atMs: number, meanMs: number, begin: () => (() => void) | void): void {
    const { scheduler, random, trace } = this.#setting
    scheduler.at(atMs, kind, () => {
      const end = begin()
      this.counts[kind] = (this.counts[kind] ?? 0) + 1
      trace.tell(scheduler.nowMs, () => `fault: ${kind}`)
      if (!end) return
      const overMs = Math.min(atMs + random.exponential(meanMs), this.#untilMs)
      scheduler.at(overMs, `${kind} is over`, () => {
        end()
        trace.tell(scheduler.nowMs, () => `over: ${kind}`)
      })
    })
  }

  #crashing(): Crashing[] {
    const { issuers, replicas, caches } = this.#targets
    return [...issuers, ...replicas, ...caches]
  }

  #machine(): Machine {
    return this.#setting.random.pick([...this.#crashing().map(({ machine }) => machine), this.#targets.journal])
  }

  #told(text: string): void {
    const { trace, scheduler } = this.#setting
    trace.tell(scheduler.nowMs, () => text)
  }

  #pause(): () => void {
    const machine = this.#machine()
    if (!machine.isUp || machine.isPaused) return () => undefined
    this.#told(`${machine.name} is paused`)
    machine.pause()
    return () => machine.resume()
  }

  #crash(): () => void {
    const process = this.#setting.random.pick(this.#crashing())
    if (!process.machine.isUp) return () => undefined
    this.#told(`${process.machine.name} crashes`)
    process.crash()
    return () => process.restart()
  }

  #links(): Link[] {
    const { random, network } = this.#setting
    // One of them, or all that one machine has.
    if (random.chance(0.6)) return [random.pick(network.links())]
    return network.linksOf(this.#machine().name)
  }

  #cut(): () => void {
    const links = this.#links()
    for (const link of links) link.cut()
    return () => {
      for (const link of links) link.heal()
    }
  }

  #slow(): () => void {
    const links = this.#links()
    const ms = 10 * 150 ** this.#setting.random.next()
    for (const link of links) link.slow(ms)
    return () => {
      for (const link of links) link.slow(0)
    }
  }

  #break(): void {
    const streams = this.#targets.streams()
    if (streams.length > 0) this.#setting.random.pick(streams).break()
  }

  #lose(): () => void {
    const { random, bus } = this.#setting
    const before = { ...bus.losses }
    Object.assign(bus.losses, {
      lost: random.pick([0, 0.1, 0.5, 1]),
      repeated: random.pick([0, 0.5]),
      late: random.pick([0, 0.5]),
      lateMs: random.pick([20, 300, 1_500]),
    } satisfies Losses)
    return () => void Object.assign(bus.losses, before)
  }

  #trouble(): () => void {
    const { random } = this.#setting
    const { trouble } = this.#targets
    Object.assign(
      trouble,
      random.pick<Trouble>([
        { refused: 1, unanswered: 0, hung: 0 },
        { refused: 0.3, unanswered: 0.3, hung: 0 },
        { refused: 0, unanswered: 0.5, hung: 0 },
        { refused: 0.1, unanswered: 0.1, hung: 0.2 },
      ]),
    )
    return () => void Object.assign(trouble, { refused: 0, unanswered: 0, hung: 0 })
  }

  /** One replica does not notice for a while that the store went back, and things are revoked meanwhile. */
  #keepInThePast(): () => void {
    const { network, random, scheduler } = this.#setting
    const { name } = random.pick(this.#targets.replicas).machine
    const links = [network.between(name, 'store'), network.between(name, 'bus')]
    for (const link of links) link.cut()
    for (let time = random.below(4); time > 0; time--) {
      scheduler.after(random.exponential(60), 'revoking again', () => this.#targets.traffic.revoke())
    }
    return () => {
      for (const link of links) link.heal()
    }
  }

  #rollback(atMs: number): void {
    const { scheduler, store, random } = this.#setting
    scheduler.at(atMs, 'snapshot', () => {
      const snapshot = store.snapshot()
      const lateMs = random.chance(0.3) ? random.exponential(20) : random.exponential(800)
      const backMs = Math.min(atMs + lateMs, this.#untilMs)
      this.#episode('rollback', backMs, 500, () => {
        this.#history.setBack(snapshot, atMs)
        return random.chance(0.6) ? this.#keepInThePast() : undefined
      })
    })
  }
}
