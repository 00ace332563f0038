import { startNats, type NatsServer } from '@countersign/servers'
import type { Store } from '@countersign/store'
import { createMemoryStore } from '@countersign/store/memory'
import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { expect } from '@jest/globals'
import { setTimeout as sleep } from 'node:timers/promises'
import { silentLog } from '../log.ts'
import { openNatsBus } from '../nats/nats-bus.ts'
import type { NatsOptions } from '../nats/options.ts'
import { streamName } from '../nats/stream.ts'
import { Pending } from '../pending.ts'
import type { Bus } from '../port.ts'
import { publishing } from '../publishing-store.ts'
import { createRelay, type Relay } from '../relay.ts'
import { eventually } from './eventually.ts'
import { commitOf } from './events.ts'
import { guarded } from './guarded-store.ts'
import { MemoryJournal } from './memory-journal.ts'

export const patientMs = 60_000
export const ends: (() => Promise<unknown>)[] = []
/** Ends what each test began, the last first; to be given to `afterEach`. */
export async function endAll(): Promise<void> {
  for (const end of ends.splice(0).reverse()) await end()
}

export async function nats(options?: Parameters<typeof startNats>[0]): Promise<NatsServer> {
  const server = await startNats(options)
  ends.push(() => server.stop())
  return server
}

export function busOn(url: string, name: string, options: Partial<NatsOptions> = {}): Bus {
  const bus = openNatsBus({ servers: [url], name, ...options })
  ends.push(() => bus.close())
  return bus
}

export interface World {
  committer: Store
  store: Store
  journal: MemoryJournal
  relay: Relay
  /** The issuer's end, and the journal's. */
  issuer: Bus
  audit: Bus
  /** Commits until told to stop, and says how many events that were. */
  load(): () => Promise<number>
  isJournaled(events: number): Promise<void>
}

/** An issuer with a relay, and a journal, on a NATS server; checks at its end that no event left the outbox too soon. */
export async function world(url: string, options: Partial<NatsOptions> = {}): Promise<World> {
  const journal = new MemoryJournal()
  const [issuer, audit] = [busOn(url, 'issuer', options), busOn(url, 'audit', options)]
  const { store, violations } = guarded(createMemoryStore(), journal)
  ends.push(async () => expect(violations).toEqual([]))
  const pending = new Pending()
  const committer = publishing(store, issuer, pending)
  const limits = { sweepMs: 100, youngMs: 300, longestSweepMs: 500, patienceMs: 300 }
  const relay = createRelay({ store, bus: issuer, partitions: 1, pending, now: Date.now, log: silentLog, limits })
  relay.start()
  ends.push(() => relay.stop())
  const load = () => {
    let isRunning = true
    const committed = (async () => {
      let events = 0
      for (; isRunning; events += 10) {
        await committer.commit(commitOf(10))
        await sleep(5)
      }
      return events
    })()
    return () => {
      isRunning = false
      return committed
    }
  }
  const isJournaled = async (events: number) => {
    await eventually(async () => (await store.outbox(0).size()) === 0, patientMs)
    expect(journal.held.size).toBe(events)
  }
  return { committer, store, journal, relay, issuer, audit, load, isJournaled }
}

export async function managing(
  server: NatsServer,
  act: (manager: JetStreamManager) => Promise<unknown>,
): Promise<void> {
  const connection = await connect({ servers: server.url })
  await act(await jetstreamManager(connection))
  await connection.close()
}

export const areUp = (...buses: Bus[]) => eventually(() => buses.every((bus) => bus.state() === 'up'), patientMs)

export const streamed = async (manager: JetStreamManager) => (await manager.streams.info(streamName)).state.messages
