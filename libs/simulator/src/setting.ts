import type { Store } from '@countersign/store'
import type { MemoryStore } from '@countersign/store/memory'
import type { Checker } from './checker.ts'
import type { Machine } from './machine.ts'
import type { End, Network, Stream } from './network.ts'
import type { Parties } from './parties.ts'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'
import type { Trace } from './trace.ts'
import type { WorldBus } from './world-bus.ts'

/** What every part of a world stands on. */
export interface Setting {
  readonly parties: Parties
  readonly partitions: number
  readonly scheduler: Scheduler
  readonly random: Random
  readonly trace: Trace
  readonly network: Network
  readonly bus: WorldBus
  readonly store: MemoryStore
  readonly checker: Checker
  /** Pushes to watching caches may come before what was sent before them, as their contract allows. */
  readonly pushesOvertake: boolean
  machine(name: string): Machine
  /** A stream between two machines, the first of which called. */
  stream(caller: Machine, called: Machine, ends: readonly [End, End]): Stream
  /** The store as this machine sees it. */
  storeOf(machine: Machine): Store
}
