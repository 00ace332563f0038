import type { Message } from '@countersign/contracts'
import { randomUUID } from 'node:crypto'
import type { Bus, Consumer } from '../port.ts'

/** Two ends of a bus that is up and empty; the same object where a bus has one end. */
export interface Ends {
  near: Bus
  far: Bus
}

export type Open = () => Promise<Ends>

/** A consumer that keeps what it took, and batches as it got them. */
export function collector(options: Partial<Consumer> = {}) {
  const taken: Message[] = []
  const batches: number[] = []
  const consumer: Consumer = {
    name: `test-${randomUUID()}`,
    batchMessages: 100,
    onBatch: async (batch) => {
      batches.push(batch.length)
      taken.push(...batch)
    },
    ...options,
  }
  const has = (message: Message) => taken.some(({ id }) => id === message.id)
  return { taken, batches, consumer, ids: () => taken.map(({ id }) => id), has }
}

export const idsOf = (messages: Message[]) => messages.map(({ id }) => id)
