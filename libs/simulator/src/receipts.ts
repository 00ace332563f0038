import type { RevocationStatus } from '@countersign/service-introspection'
import type { Revocation } from './checker.ts'
import { authorizationOf, resourceServer } from './parties.ts'
import type { Asked } from './questions.ts'
import type { Replica } from './replica.ts'
import type { Setting } from './setting.ts'

const authorization = authorizationOf(resourceServer)

/** `GET /api/v1/revocations/{revision}`, as a replica answers it. */
function ask({ service }: Replica, revision: string, onStatus: (status: RevocationStatus) => void): void {
  const request = { method: 'GET', url: `/api/v1/revocations/${revision}`, headers: { authorization }, ip: '192.0.2.9' }
  const response = { setHeader: () => undefined, json: onStatus }
  for (const router of service.routers) router(request as never, response as never, () => undefined)
}

/** Somebody wants to know whether a revocation is enforced; from when it is said to be, it has to be. */
export function askWhetherEnforced(setting: Setting, { replicas, caches }: Asked, revocation: Revocation): void {
  const { scheduler, random, checker, trace } = setting
  const [revision, ...others] = revocation.revisions
  const replica = random.pick(replicas)
  if (revision === undefined || others.length > 0 || !replica.machine.isUp) return
  const longestMs = Math.max(...[...caches, ...replicas].map(({ maxStalenessMs }) => maxStalenessMs))
  replica.machine.at(scheduler.nowMs, 'a request', () => {
    ask(replica, revision, (status) => {
      // A replica that does not answer, or has only just begun, is not counted: whoever counts replicas sees that.
      const isWhole = replicas.every(({ machine }) => scheduler.nowMs - machine.startedMs > longestMs)
      if (!status.enforced || new Set(status.replicas).size < replicas.length || !isWhole) return
      if (checker.wentBackMs !== undefined || revocation.enforcedMs !== undefined) return
      revocation.enforcedMs = scheduler.nowMs
      checker.figures.enforced++
      trace.tell(scheduler.nowMs, () => `${revocation.what} is enforced, it is said`)
    })
  })
}
