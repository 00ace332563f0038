import type { Contender, Load } from './contender.ts'
import { postForm, type HttpAnswer } from './http-answer.ts'
import { httpGenerator, runHttpLoad, type HttpFigures, type HttpLoad } from './http-load.ts'
import { limits } from './limits.ts'

export interface HttpContenderOptions extends HttpLoad {
  name: string
  unit: string
  processes: Readonly<Record<string, number>>
  prepare?: (seconds: number) => Promise<void>
  /** A token to verify with; without it, the form alone. */
  sample?: () => Promise<string>
  isRight: (answer: HttpAnswer) => boolean
  /** Part by which bytes per answer may differ from the verified answer; {@link limits.answerBytesDrift} unless given. */
  drift?: number
  /** After a round, e.g. to see that what was revoked is; gets how many requests were answered. */
  afterwards?: (answered: number) => Promise<void>
  settle?: () => Promise<void>
  signal: AbortSignal
}

/** What is wrong with what the generator saw; undefined when nothing is. */
export function complaintAbout(
  figures: HttpFigures,
  wireBytes: number,
  connections: number,
  drift: number = limits.answerBytesDrift,
): string | undefined {
  const { requests, bytes, non2xx, socketErrors, exhausted } = figures
  if (requests === 0) return 'no answer at all'
  if (non2xx > 0) return `${non2xx} of ${requests} answers were not 2xx`
  if (socketErrors > 0) return `${socketErrors} connections broke or requests timed out`
  if (exhausted) return 'there were fewer tokens than requests'
  const inFlight = connections * wireBytes
  if (Math.abs(bytes - requests * wireBytes) > requests * wireBytes * drift + inFlight) {
    return `answers took ${(bytes / requests).toFixed(1)} bytes each, the verified one ${wireBytes}: they are not the same`
  }
  return undefined
}

/** Something that answers a form over HTTP, under load from the HTTP generator. */
export function httpContender(options: HttpContenderOptions): Contender {
  const { name, unit, processes, prepare, settle, isRight, signal, ...load } = options
  const { url, authorization, form, connections } = load
  let verified: HttpAnswer | undefined

  async function verify(): Promise<void> {
    const token = await options.sample?.()
    const answer = await postForm(url, authorization, form + (token ?? ''))
    if (!isRight(answer)) throw new Error(`${name} answered wrongly: ${answer.status} ${answer.body.slice(0, 500)}`)
    verified = answer
  }

  async function run(seconds: number, onGenerator: (pid: number) => void): Promise<Load> {
    const figures = await runHttpLoad(load, { seconds, generator: httpGenerator(), onStart: onGenerator, signal })
    const complaint = complaintAbout(figures, verified!.wireBytes, connections, options.drift)
    if (complaint !== undefined) throw new Error(`${name}: ${complaint}`)
    await options.afterwards?.(figures.requests)
    return { perSecond: figures.requests / figures.seconds, p50Ms: figures.p50Ms, p99Ms: figures.p99Ms, errors: 0 }
  }

  return { name, unit, processes, verify, run, ...(prepare && { prepare }), ...(settle && { settle }) }
}
