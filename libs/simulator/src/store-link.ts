import { Failure } from '@countersign/contracts'
import type { Store } from '@countersign/store'
import type { MemoryStore } from '@countersign/store/memory'
import { limits } from './limits.ts'
import type { Machine } from './machine.ts'
import type { Link } from './network.ts'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'

/** How likely requests to the store go wrong: refused, done but not answered, or kept waiting. */
export interface Trouble {
  refused: number
  unanswered: number
  hung: number
}

export interface StoreLinkOptions {
  store: MemoryStore
  machine: Machine
  link: Link
  trouble: Readonly<Trouble>
  scheduler: Scheduler
  random: Random
  /** A process has read the head of a log, now. */
  onRead(): void
  /** Hears of what is taken out of the outbox. */
  onRemoved(eventIds: string[]): void
}

const unavailable = (why: string) => new Failure('unavailable', `the store cannot answer now: ${why}`)

/** The store as one process sees it: over a network, and failing at times. */
export function linkedStore(options: StoreLinkOptions): Store {
  const { store, machine, link, trouble, scheduler, random, onRead, onRemoved } = options

  function request<T>(operation: () => Promise<T>): Promise<T> {
    const { life } = machine
    return new Promise<T>((resolve, reject) => {
      const cancel = machine.clock.after(limits.storeTimeoutMs, () => reject(unavailable('it took too long')))
      const answer = (settle: () => void): void =>
        link.whenWhole(() => {
          if (machine.life !== life) return
          machine.at(scheduler.nowMs + link.delayMs(), 'an answer of the store', () => {
            cancel()
            settle()
          })
        })
      const chance = random.next()
      const { refused, unanswered, hung } = trouble
      const isHung = chance < hung
      const isRefused = !isHung && chance < hung + refused
      const isUnanswered = !isHung && !isRefused && chance < hung + refused + unanswered
      link.whenWhole(() => {
        const arrivesInMs = link.delayMs() + (isHung ? random.next() * limits.hungMs : 0)
        scheduler.after(arrivesInMs, 'the store', () => {
          if (isRefused) return answer(() => reject(unavailable('it refuses')))
          operation().then(
            (value) =>
              isHung || answer(() => (isUnanswered ? reject(unavailable('the connection was lost')) : resolve(value))),
            (failure) => answer(() => reject(failure as Error)),
          )
        })
      })
    })
  }

  return {
    commit: (commit) => request(() => store.commit(commit)),
    get: (keys) => request(() => store.get(keys)),
    follow: (key) => request(() => store.follow(key)),
    list: (listing, page) => request(() => store.list(listing, page)),
    facts: (partition, after, tip) =>
      request(() => {
        scheduler.after(0, 'the head was read', onRead)
        return store.facts(partition, after, tip)
      }),
    outbox(partition) {
      const outbox = store.outbox(partition)
      return {
        read: (after, limit) => request(() => outbox.read(after, limit)),
        size: () => request(() => outbox.size()),
        remove: (journaled) =>
          request(() => {
            onRemoved(journaled.map(({ eventId }) => eventId))
            return outbox.remove(journaled)
          }),
      }
    },
    ping: () => request(() => store.ping()),
    close: async () => undefined,
  }
}
