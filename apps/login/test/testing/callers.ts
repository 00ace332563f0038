import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { createVerifier } from '@countersign/sdk'
import { MainJob, until } from '@countersign/servers'
import type { Setting } from './setting.ts'

/** B, milliseconds: of the service, and of the cache on top of it. */
const boundMs = 1_000

/** A resource service that asks about tokens over and over, from its memory where it may, and another without one. */
export class Callers {
  readonly #ask: Readonly<Record<string, (token: string) => Promise<boolean>>>
  readonly #verifier
  readonly #tokens: readonly string[]
  /** Who asked about which token → when the last question began that was answered with yes. */
  readonly #active = new Map<string, number>()
  readonly #inactive = new Set<string>()
  #isRunning = true
  readonly #running: Promise<unknown>

  private constructor({ at }: Setting, tokens: readonly string[]) {
    this.#verifier = createVerifier({
      target: at.grpcTarget,
      credentials: { clientId: 'reports-api', clientSecret: at.secrets['reports-api'] },
      maxStalenessMs: boundMs,
      log: { info: () => undefined, warn: () => undefined },
    })
    const job = new MainJob(at)
    this.#ask = {
      'over gRPC, from a cache': async (token) => (await this.#verifier.verify(token)).ok,
      'over HTTP': (token) => job.isActive(token),
    }
    this.#tokens = tokens
    const lines = Object.keys(this.#ask).flatMap((who) => tokens.map((token) => this.#askOverAndOver(who, token)))
    this.#running = Promise.all(lines)
  }

  /** Begins, and waits until every token was found good by everybody, and from memory. */
  static async start(setting: Setting, tokens: readonly string[]): Promise<Callers> {
    const callers = new Callers(setting, tokens)
    try {
      const all = tokens.length * Object.keys(callers.#ask).length
      await until(() => callers.#active.size === all && callers.#verifier.stats().hits > 20, 60_000)
    } catch (thrown) {
      await callers.#stop()
      throw thrown
    }
    return callers
  }

  async #askOverAndOver(who: string, token: string): Promise<void> {
    const line = `${who}: ${token.slice(0, 12)}`
    while (this.#isRunning) {
      const begunMs = performance.now()
      try {
        if (await this.#ask[who]!(token)) this.#active.set(line, begunMs)
        else this.#inactive.add(line)
      } catch {
        // No verdict.
      }
      await sleep(10)
    }
  }

  async #stop(): Promise<void> {
    this.#isRunning = false
    await this.#running
    this.#verifier.close()
  }

  /**
   * Waits until nobody takes any of them any more.
   * @param acknowledgedMs when whoever ended them was told so, by the monotonic clock
   * @returns every *yes* to a question that was begun later than B after it
   */
  async refused(acknowledgedMs: number): Promise<string[]> {
    try {
      const all = this.#tokens.length * Object.keys(this.#ask).length
      await until(() => this.#inactive.size === all, 30_000)
      // And they go on asking for longer than anything may be remembered.
      await sleep(acknowledgedMs + 2 * boundMs - performance.now())
    } finally {
      await this.#stop()
    }
    return [...this.#active].flatMap(([line, begunMs]) => {
      const lateMs = begunMs - acknowledgedMs - boundMs
      return lateMs > 0 ? [`${line}: active ${lateMs.toFixed(1)} ms after the bound`] : []
    })
  }
}
