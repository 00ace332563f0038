import { createMemoryStore } from '@countersign/store/memory'
import { Checker, type Figures, type Violation } from './checker.ts'
import { Faults, type FaultKind } from './faults.ts'
import { History } from './history.ts'
import { Issuer } from './issuer.ts'
import { Journal } from './journal.ts'
import { limits } from './limits.ts'
import { Machine } from './machine.ts'
import { inOwnTurn } from './microtasks.ts'
import { Network, Stream } from './network.ts'
import { createParties, foundedStore, type Parties } from './parties.ts'
import { Random } from './random.ts'
import { Replica } from './replica.ts'
import { Scheduler } from './scheduler.ts'
import { SdkCache } from './sdk-cache.ts'
import type { Setting } from './setting.ts'
import { settle } from './settling.ts'
import { linkedStore, type Trouble } from './store-link.ts'
import { Trace } from './trace.ts'
import { Traffic, type Actors } from './traffic.ts'
import { WorldBus } from './world-bus.ts'

export interface WorldResult {
  seed: number
  /** Two runs of the same seed have the same. */
  hash: string
  events: number
  virtualMs: number
  figures: Figures
  faults: Partial<Record<FaultKind, number>>
  violations: Violation[]
}

/** What worlds begin with, made once. */
export interface Foundations {
  readonly parties: Parties
  /** Of stores with 1, 2, 3 partitions: the store, and another with another history. */
  readonly stores: readonly { readonly first: unknown; readonly other: unknown }[]
}

export async function layFoundations(): Promise<Foundations> {
  const parties = createParties()
  const stores: { first: unknown; other: unknown }[] = []
  for (const partitions of [1, 2, 3]) {
    const [first, other] = [await foundedStore(parties, partitions, 1), await foundedStore(parties, partitions, 2)]
    stores.push({ first, other })
  }
  return { parties, stores }
}

/** Runs one world from its beginning to its end, in one turn of the event loop. */
export function runWorld(
  seed: number,
  foundations: Foundations,
  tell?: (atMs: number, text: string) => void,
): Promise<WorldResult> {
  return inOwnTurn(() => new World(seed, foundations, tell).run())
}

class World implements Setting {
  readonly #seed: number
  readonly #stores: Foundations['stores'][number]
  readonly parties: Parties
  readonly partitions: number
  readonly random: Random
  readonly trace: Trace
  readonly scheduler: Scheduler
  readonly network: Network
  readonly bus: WorldBus
  readonly store
  readonly checker: Checker
  readonly pushesOvertake: boolean
  readonly #history: History
  readonly #trouble: Trouble = { refused: 0, unanswered: 0, hung: 0 }
  #streams: Stream[] = []
  #faults: Faults | undefined
  readonly #journal: Journal

  constructor(seed: number, { parties, stores }: Foundations, tell?: (atMs: number, text: string) => void) {
    this.#seed = seed
    const random = (this.random = new Random(seed))
    this.partitions = random.pick([1, 1, 2, 3])
    this.#stores = stores[this.partitions - 1]!
    this.parties = parties
    this.pushesOvertake = random.chance(0.3)
    this.trace = new Trace(tell)
    this.scheduler = new Scheduler(this.trace)
    this.network = new Network(random, random.pick([0.05, 0.3, 2, 10]))
    const lost = random.pick([0, 0, 0.1, 0.5, 1])
    this.bus = new WorldBus(this.scheduler, random, this.network, { lost, repeated: 0.05, late: 0.1, lateMs: 30 })
    const now = () => limits.beginningOfTimeMs + Math.floor(this.scheduler.nowMs)
    this.store = createMemoryStore({ now, randomEpoch: () => random.hex(16) })
    this.store.restore(this.#stores.first)
    this.checker = new Checker(this.scheduler, this.trace)
    this.#history = new History(this.store, this.scheduler, this.checker, this.trace)
    this.#journal = new Journal(this)
  }

  machine(name: string): Machine {
    return new Machine(name, this.scheduler, this.random)
  }

  stream(caller: Machine, called: Machine, ends: ConstructorParameters<typeof Stream>[3]): Stream {
    const link = this.network.between(caller.name, called.name)
    const stream = new Stream(this.scheduler, this.random, link, ends)
    this.#streams.push(stream)
    return stream
  }

  storeOf(machine: Machine) {
    const { store, scheduler, random } = this
    const link = this.network.between(machine.name, 'store')
    const onRead = () => this.#faults?.ambush(machine)
    const onRemoved = (eventIds: string[]) => this.#journal.removed(eventIds)
    return linkedStore({ store, machine, link, trouble: this.#trouble, scheduler, random, onRead, onRemoved })
  }

  run(): WorldResult {
    const { scheduler, random, checker, trace } = this
    const actors = this.#populate()
    const traffic = new Traffic(this, actors, this.#history)
    const trafficMs = random.between(limits.trafficMs.least, limits.trafficMs.most)
    const streams = () => (this.#streams = this.#streams.filter(({ isBroken }) => !isBroken))
    const targets = { ...actors, journal: this.#journal.machine, trouble: this.#trouble, streams, traffic }
    const faults = (this.#faults = new Faults(this, targets, this.#history, trafficMs))
    faults.plan(this.#stores)
    traffic.start()
    scheduler.runUntil(trafficMs)
    traffic.stop()
    settle(this, actors, traffic, this.#journal)
    const { figures, violations } = checker
    figures.events = this.#journal.size
    return {
      ...{ seed: this.#seed, hash: trace.hash, events: scheduler.events, virtualMs: scheduler.nowMs },
      ...{ figures, faults: faults.counts, violations },
    }
  }

  #populate(): Actors {
    const { random } = this
    const { least, most } = limits.stalenessMs
    const bound = () => Math.round(random.between(least, most))
    // Mostly all have the same B, as it is configured once.
    const [services, sdks] = random.chance(0.5) ? [bound(), bound()] : Array<number>(2).fill(bound())
    const issuers = Array.from({ length: random.chance(0.4) ? 2 : 1 }, (_, n) => new Issuer(this, `issuer-${n + 1}`))
    const replicas = [1, 2].map((n) => new Replica(this, `replica-${n}`, services!))
    const caches = [1, 2, 3].map(
      (n) => new SdkCache(this, `cache-${n}`, random.chance(0.2) ? bound() : sdks!, replicas),
    )
    return { issuers, replicas, caches }
  }
}
