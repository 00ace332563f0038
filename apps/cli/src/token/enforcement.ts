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
 * Waits until no cache answers from before any of these revisions any more.
 * @throws Failure `unavailable` when some still may after all that time; whatever the server answers
 */
export async function waitForEnforcement(
  issuer: URL,
  credentials: Credentials,
  revisions: readonly string[],
  onProgress: (enforcement: Enforcement) => void,
): Promise<Enforcement> {
  const untilMs = performance.now() + limits.enforcementMs
  const all: Enforcement[] = []
  for (const revision of revisions) all.push(await waitForOne(issuer, credentials, revision, untilMs, onProgress))
  const most = (count: (each: Enforcement) => number) => Math.max(...all.map(count))
  const speeds = all.flatMap(({ slowest_ms }) => slowest_ms ?? [])
  return {
    enforced: true,
    caches: most(({ caches }) => caches),
    // Of the partition that was slowest to be heard of everywhere.
    applied: Math.min(...all.map(({ applied }) => applied)),
    lapsed: most(({ lapsed }) => lapsed),
    slowest_ms: speeds.length === 0 ? null : Math.max(...speeds),
    silent: [],
  }
}

async function waitForOne(
  issuer: URL,
  credentials: Credentials,
  revision: string,
  untilMs: number,
  onProgress: (enforcement: Enforcement) => void,
): Promise<Enforcement> {
  const url = urlAt(issuer, `/api/v1/revocations/${encodeURIComponent(revision)}`)
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
