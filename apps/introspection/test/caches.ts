import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { MainJob, type Addresses } from '@countersign/servers'
import type { CacheJob, CacheQuestion, CacheReport } from './cache-process.ts'

const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6

/** A process with a cache of the SDK. */
export class Cache {
  readonly #child: ChildProcess
  /** B, milliseconds. */
  readonly boundMs: number

  private constructor(child: ChildProcess, boundMs: number) {
    this.#child = child
    this.boundMs = boundMs
  }

  static async start(job: CacheJob, env: Record<string, string> = {}): Promise<Cache> {
    const path = new URL('./cache-process.ts', import.meta.url)
    const child = fork(path, [JSON.stringify(job)], { execArgv: [], env: { ...process.env, ...env } })
    await once(child, 'message')
    return new Cache(child, job.maxStalenessMs)
  }

  add(token: string): void {
    this.#child.send({ add: token } satisfies CacheQuestion)
  }

  async report(): Promise<CacheReport> {
    const answer = once(this.#child, 'message')
    this.#child.send({ report: true } satisfies CacheQuestion)
    return (await answer)[0] as CacheReport
  }

  pause = (): boolean => this.#child.kill('SIGSTOP')
  resume = (): boolean => this.#child.kill('SIGCONT')

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const gone = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await gone
  }
}

/** Issues and revokes while something happens, tells caches of the tokens, and asks the service itself, too. */
export class Revocations {
  readonly #job: MainJob
  readonly #caches: readonly Cache[]
  /** The service's own B, milliseconds. */
  readonly #boundMs: number
  readonly live: string[] = []
  /** Token → when its revocation was acknowledged, milliseconds of the machine's monotonic clock. */
  readonly revoked = new Map<string, number>()
  readonly #askedActive = new Map<string, number>()
  #unsure = new Set<string>()
  #isRunning = true
  #running: Promise<unknown> = Promise.resolve()

  constructor(at: Addresses, caches: readonly Cache[], boundMs: number) {
    this.#job = new MainJob(at)
    this.#caches = caches
    this.#boundMs = boundMs
  }

  start(): void {
    this.#running = Promise.all([this.#revokeOverAndOver(), this.#askOverAndOver()])
  }

  async #revokeOverAndOver(): Promise<void> {
    while (this.#isRunning) {
      await sleep(15)
      try {
        if (this.live.length < 12) await this.#issue()
        else await this.revoke(this.live[0]!)
      } catch {
        // Refused: nothing is known of it, and nothing is expected.
      }
    }
  }

  async #issue(): Promise<void> {
    const token = await this.#job.token()
    this.live.push(token)
    for (const cache of this.#caches) cache.add(token)
  }

  async revoke(token: string): Promise<void> {
    this.live.splice(this.live.indexOf(token), 1)
    this.#unsure.add(token)
    const { status } = await this.#job.revoke(token)
    if (status !== 200) return
    this.revoked.set(token, nowMs())
    this.#unsure.delete(token)
  }

  /** What the store has lost is not expected of anybody. */
  excuse(tokens: Iterable<string>): void {
    for (const token of tokens) {
      this.revoked.delete(token)
      this.#unsure.add(token)
    }
  }

  async #askOverAndOver(): Promise<void> {
    for (let n = 0; this.#isRunning; n++) {
      const tokens = [...this.live, ...[...this.revoked.keys()].slice(-6)]
      const token = tokens[n % Math.max(1, tokens.length)]
      await sleep(5)
      if (token === undefined) continue
      const begunMs = nowMs()
      try {
        if (await this.#job.isActive(token)) this.#askedActive.set(token, begunMs)
      } catch {
        // No verdict.
      }
    }
  }

  async stop(): Promise<void> {
    this.#isRunning = false
    await this.#running
  }

  /** Every *active* of a request that was begun later than B after the revocation's acknowledgement. */
  async violations(): Promise<string[]> {
    const found: string[] = []
    const look = (who: string, active: Iterable<[string, number]>, boundMs: number) => {
      for (const [token, begunMs] of active) {
        const lateMs = begunMs - (this.revoked.get(token) ?? Infinity) - boundMs
        if (lateMs > 0) found.push(`${who}: active ${lateMs.toFixed(1)} ms after the bound`)
      }
    }
    look('service', this.#askedActive, this.#boundMs)
    for (const [n, cache] of this.#caches.entries()) {
      look(`cache ${n}`, Object.entries((await cache.report()).active), cache.boundMs)
    }
    return found
  }

  /** Whether every cache knows every token as it is now. */
  async areSettled(): Promise<boolean> {
    for (const cache of this.#caches) {
      const inactive = new Set((await cache.report()).inactive)
      if (this.live.some((token) => inactive.has(token))) return false
      if ([...this.revoked.keys()].some((token) => !inactive.has(token))) return false
    }
    return true
  }
}
