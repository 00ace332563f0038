import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '@countersign/contracts'
import { urlAt } from '../client.ts'
import { call, type Credentials } from '../http-call.ts'
import { limits } from '../limits.ts'

/** How far a revocation has come, as `GET /api/v1/revocations/{revision}` tells. */
export interface Enforcement {
  readonly enforced: boolean
  readonly caches: number
  readonly applied: number
  readonly lapsed: number
  readonly slowest_ms: number | null
  readonly silent: readonly { readonly name?: string; readonly silent_ms: number }[]
}

/**
 * Waits until no cache answers from before a revision any more.
 * @throws Failure `unavailable` when some still may after all that time; whatever the server answers
 */
export async function waitForEnforcement(
  issuer: URL,
  credentials: Credentials,
  revision: string,
  onProgress: (enforcement: Enforcement) => void,
): Promise<Enforcement> {
  const url = urlAt(issuer, `/api/v1/revocations/${encodeURIComponent(revision)}`)
  const untilMs = performance.now() + limits.enforcementMs
  for (;;) {
    const { body } = await call({ url, credentials })
    const enforcement = body as Enforcement
    if (enforcement.enforced) return enforcement
    if (performance.now() > untilMs) {
      const names = enforcement.silent.map(({ name }) => name).filter((name) => name !== undefined)
      const who = names.length > 0 ? `: ${names.join(', ')}` : ''
      throw new Failure('unavailable', `revoked, but ${enforcement.silent.length} caches have not told so${who}`)
    }
    onProgress(enforcement)
    await sleep(limits.enforcementEveryMs)
  }
}

export const describedEnforcement = ({ caches, lapsed, slowest_ms }: Enforcement): string => {
  const speed = slowest_ms === null ? '' : `, the last after ${slowest_ms} ms`
  const silent = lapsed === 0 ? '' : `; ${lapsed} of them silent, and answering nothing from before`
  return `enforced by all ${caches} caches${speed}${silent}`
}
