import { decodeEvent } from '@countersign/contracts'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Bus, Subscription } from '../port.ts'

/** What the audit journal promises, in memory: takes each event once, then says so, and answers what it has. */
export class MemoryJournal {
  readonly held = new Map<string, { partition: number; sequence: number }>()
  /** Events that came again after they were held. */
  repeats = 0
  /** While set, batches are rejected. */
  failing = false
  #subscriptions: Subscription[] = []

  async attach(bus: Bus, options: { answers?: boolean; batchMessages?: number; batchMs?: number } = {}): Promise<void> {
    const { answers = true, batchMessages = 500, batchMs = 0 } = options
    const consumption = await bus.consume({
      name: 'journal',
      batchMessages,
      onBatch: async (batch) => {
        if (this.failing) throw new Error('the journal fails')
        if (batchMs > 0) await sleep(batchMs)
        const events = batch.map(({ data }) => decodeEvent(data))
        for (const { id, partition, sequence } of events) {
          if (this.held.has(id)) this.repeats++
          this.held.set(id, { partition, sequence })
        }
        bus.acknowledge(events.map(({ id }) => id))
      },
    })
    this.#subscriptions.push(consumption)
    if (answers) this.#subscriptions.push(bus.answer(async (ids) => ids.filter((id) => this.held.has(id))))
  }

  async detach(): Promise<void> {
    await Promise.all(this.#subscriptions.splice(0).map((subscription) => subscription.close()))
  }
}
