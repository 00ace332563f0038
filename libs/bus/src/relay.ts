import type { Millis, Partition } from '@countersign/contracts'
import type { Store } from '@countersign/store'
import { relayLimits, type RelayLimits } from './limits.ts'
import type { Log } from './log.ts'
import { realPace, type Pace } from './pause.ts'
import type { Pending } from './pending.ts'
import type { Bus, Subscription } from './port.ts'
import { Remover } from './remover.ts'
import { Sweep } from './sweep.ts'

export interface RelayOptions {
  store: Store
  bus: Bus
  /** The partitions there are: 0 up to this. */
  partitions: number
  /** The one that the publishing store of this process fills. */
  pending: Pending
  now: () => Millis
  log: Log
  limits?: Partial<RelayLimits>
  pace?: Pace
}

export interface RelayStats {
  /** Events not in the journal yet, as of each partition's last sweep. */
  backlogEvents: number
  /** Age of the oldest of them. */
  oldestAgeMs: Millis
  /** Since the start: events published again, and outbox entries taken away. */
  republished: number
  removed: number
  /** Outbox entries that are no events; they stay where they are. */
  undecodable: number
}

export interface Relay {
  start(): void
  /** Ends sweeping, takes away what is acknowledged already, and waits for the store. */
  stop(): Promise<void>
  /** While paused nothing is taken away or published again. */
  pause(): void
  resume(): void
  stats(): RelayStats
  /** Events of a partition that the journal does not have yet, asked of the store. */
  sizeOf(partition: Partition): Promise<number>
}

/**
 * Sees to it that every committed event gets to the audit journal, whatever the bus loses. An outbox entry goes only
 * when the journal says that it has the event: by an acknowledgement, or asked by the sweep. Everything may be done
 * twice, by several replicas at once.
 */
export function createRelay(options: RelayOptions): Relay {
  const { store, bus, partitions, pending, now, log, pace = realPace } = options
  const limits = { ...relayLimits, ...options.limits }
  const stopping = new AbortController()
  const { signal } = stopping
  let isPaused = false
  const remover = new Remover(store, log, limits, signal, pace)
  const sweeps = Array.from({ length: partitions }, (_, partition) => {
    const outbox = store.outbox(partition)
    return new Sweep({ partition, outbox, bus, pending, now, log, limits, signal, pace, paused: () => isPaused })
  })
  let subscription: Subscription | undefined
  let running: Promise<unknown> = Promise.resolve()

  const acknowledged = (eventIds: string[]) => {
    if (isPaused) return
    for (const id of eventIds) {
      const place = pending.take(id)
      if (place) remover.add(place.partition, { sequence: place.sequence, eventId: id })
    }
  }
  const total = (figure: (sweep: Sweep) => number) => sweeps.reduce((sum, sweep) => sum + figure(sweep), 0)
  return {
    start() {
      subscription = bus.onAcknowledged(acknowledged)
      running = Promise.all(sweeps.map((sweep) => sweep.run()))
    },
    async stop() {
      stopping.abort()
      await subscription?.close()
      await running
      await remover.finish()
    },
    pause: () => void (isPaused = true),
    resume: () => void (isPaused = false),
    stats: () => ({
      backlogEvents: total((sweep) => sweep.backlogEvents),
      oldestAgeMs: Math.max(0, ...sweeps.map((sweep) => sweep.oldestAgeMs)),
      republished: total((sweep) => sweep.republished),
      removed: remover.removed + total((sweep) => sweep.removed),
      undecodable: total((sweep) => sweep.undecodable),
    }),
    sizeOf: (partition) => store.outbox(partition).size(),
  }
}
