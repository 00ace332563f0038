import { encodeEvent, messageOf } from '@countersign/contracts'
import { tipOf, type Commit, type Committed, type Store } from '@countersign/store'
import type { Pending } from './pending.ts'
import type { Bus } from './port.ts'

/**
 * A store that announces the facts and publishes the events of what it commits, at once. Each event's `partition` must be
 * set: it is part of the subject. Whatever keeps an event off the bus, it is in the outbox, and the relay publishes it; a
 * fact is in the log.
 */
export function publishing(store: Store, bus: Bus, pending: Pending): Store {
  return {
    async commit(commit) {
      const committed = await store.commit(commit)
      if (committed !== 'conflict') publish(commit, committed, bus, pending)
      return committed
    },
    get: (keys) => store.get(keys),
    follow: (key) => store.follow(key),
    list: (listing, page) => store.list(listing, page),
    facts: (partition, after, tip) => store.facts(partition, after, tip),
    outbox: (partition) => store.outbox(partition),
    ping: () => store.ping(),
    close: () => store.close(),
  }
}

function publish(commit: Commit, committed: Committed, bus: Bus, pending: Pending): void {
  const { revision, previousTip, repeated, firstSequence } = committed
  try {
    const { facts } = commit
    if (!repeated && facts.length > 0)
      bus.announce({ revision, tip: tipOf(previousTip, commit.id), previousTip, facts })
    if (firstSequence === undefined) return
    const ids = commit.events.map((event) => event.id)
    pending.committed(commit.partition, revision, firstSequence, ids)
    commit.events.forEach((event, n) => {
      bus.publish(messageOf(event, encodeEvent(event), { revision, sequence: firstSequence + n }))
    })
  } catch {
    // Committed is committed: the caller must not hear of this. The relay meets the event in the outbox, and tells.
  }
}
