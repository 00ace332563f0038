import type { Journal } from './journal.ts'
import { limits } from './limits.ts'
import type { Setting } from './setting.ts'
import type { Losses } from './world-bus.ts'
import type { Actors, Traffic } from './traffic.ts'

const lookEveryMs = 100

/** Once every fault is over: caches serve again, what was revoked stays so, and every event gets to the journal. */
export function settle(setting: Setting, actors: Actors, traffic: Traffic, journal: Journal): void {
  const { scheduler, checker, bus } = setting
  Object.assign(bus.losses, { lost: 0, repeated: 0, late: 0 } satisfies Partial<Losses>)
  serveAgain(setting, actors, traffic)
  askAboutAll(setting, actors)
  for (const actor of [...actors.caches, ...actors.replicas]) actor.crash()
  const isDrained = drained(setting)
  const deadlineMs = scheduler.nowMs + limits.drainingMs
  while (!isDrained() && scheduler.nowMs < deadlineMs) scheduler.runUntil(scheduler.nowMs + lookEveryMs)
  if (!isDrained()) checker.violated('does_not_heal', `the outbox is not empty; the journal has ${journal.size} events`)
  for (const issuer of actors.issuers) issuer.tellFigures()
}

/** Waits until every cache answers from memory; it must not take long. */
function serveAgain(setting: Setting, { caches, replicas }: Actors, traffic: Traffic): void {
  const { scheduler, checker } = setting
  const longestMs = Math.max(...[...caches, ...replicas].map(({ maxStalenessMs }) => maxStalenessMs))
  const deadlineMs = scheduler.nowMs + limits.healingMs + 4 * longestMs
  const hitsOf = [
    ...caches.map((cache) => ({ name: cache.machine.name, hits: () => cache.verifier.stats().hits })),
    ...replicas.map((replica) => ({ name: replica.machine.name, hits: () => replica.service.stats().hits })),
  ].map((each) => ({ ...each, before: each.hits() }))
  const silent = () => hitsOf.filter(({ hits, before }) => hits() === before)
  while (silent().length > 0) {
    if (scheduler.nowMs > deadlineMs) {
      const names = silent().map(({ name }) => name)
      return checker.violated('does_not_heal', `${names.join(', ')} answer nothing from memory`)
    }
    const token = traffic.living()[0]
    if (token) {
      for (const cache of caches) void cache.verify(token.token, token)
      for (const replica of replicas) traffic.questions.askReplica(replica, token.token, token)
    } else traffic.issue()
    scheduler.runUntil(scheduler.nowMs + lookEveryMs)
  }
}

/** Asks everybody about every token, and waits for the last verdict. */
function askAboutAll({ scheduler, checker }: Setting, { caches }: Actors): void {
  let failed = 0
  for (const cache of caches) {
    for (const token of checker.tokens) {
      const ask = () => void cache.verify(token.token, token).then((verdict) => verdict === undefined && failed++)
      cache.machine.at(scheduler.nowMs, 'asking about all', ask)
    }
  }
  scheduler.runUntil(scheduler.nowMs + 2 * lookEveryMs)
  if (failed > 0) checker.violated('does_not_heal', `${failed} questions fail though nothing does`)
}

/** Whether no outbox holds anything, as of the last look. */
function drained({ store, partitions }: Setting): () => boolean {
  const sizes: number[] = Array<number>(partitions).fill(Infinity)
  return () => {
    for (let partition = 0; partition < partitions; partition++) {
      void store
        .outbox(partition)
        .size()
        .then((size) => (sizes[partition] = size))
    }
    return sizes.every((size) => size === 0)
  }
}
