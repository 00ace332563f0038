import { decodeEvent } from '@countersign/contracts'
import type { Machine } from './machine.ts'
import type { Setting } from './setting.ts'

/** The audit journal, as the relay knows it: it has what it was told, durably, and says so. */
export class Journal {
  readonly #setting: Setting
  readonly #held = new Set<string>()
  readonly machine: Machine

  constructor(setting: Setting) {
    this.#setting = setting
    this.machine = setting.machine('journal')
    const bus = setting.bus.of(this.machine)
    void bus.consume({
      name: 'audit',
      batchMessages: 1_000,
      onBatch: async (messages) => {
        const ids = messages.map(({ data }) => decodeEvent(data).id)
        for (const id of ids) this.#held.add(id)
        bus.acknowledge(ids)
      },
    })
    bus.answer(async (ids) => ids.filter((id) => this.#held.has(id)))
  }

  get size(): number {
    return this.#held.size
  }

  /** These were taken out of an outbox. */
  removed(eventIds: readonly string[]): void {
    const lost = eventIds.filter((id) => !this.#held.has(id))
    if (lost.length > 0) this.#setting.checker.violated('event_lost', `${lost.join(' ')} is not in the journal`)
  }
}
