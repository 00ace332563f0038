import { asFailure, Failure } from '@countersign/contracts'
import type { IntrospectRequest, IntrospectResponse } from '@countersign/contracts/introspection'
import { leaseLimits, LeasedCache, Shared, type Clock } from '@countersign/leased-cache'
import { decide, notActive } from './decide.ts'
import { limits } from './limits.ts'
import { partitionTold } from './partition.ts'
import { Questions } from './questions.ts'
import { factsAbout, isTokenShaped, tokenOf } from './token.ts'
import type { Log, Requirements, Token, Verification, Verifier } from './types.ts'
import type { Upstream } from './upstream.ts'
import { Watching } from './watching.ts'

/** What is kept of a token: null when it is not active. */
type Known = Token | null

export interface VerifierParts {
  upstream: Upstream
  clock: Clock
  random: () => number
  maxStalenessMs: number
  cacheEntries: number
  deadlineMs: number
  name: string
  log: Log
}

interface Asking {
  isPut: boolean
  readonly answer: Promise<Known>
}

/** A verifier on an upstream, a clock and randomness. */
export class LeasedVerifier implements Verifier {
  readonly #parts: VerifierParts
  readonly #cache: LeasedCache<Known>
  readonly #questions: Questions
  readonly #watching: Watching
  readonly #asking = new Map<string, Asking>()
  readonly #shared = new Shared()
  readonly #isCaching: boolean

  constructor(parts: VerifierParts) {
    const { maxStalenessMs, cacheEntries, clock, random, upstream, log } = parts
    this.#parts = parts
    this.#isCaching = maxStalenessMs > 0 && cacheEntries > 0
    this.#cache = new LeasedCache({
      maxStalenessMs,
      clock,
      random,
      ended: null,
      limits: { entries: cacheEntries, bytes: Math.max(leaseLimits.bytes, cacheEntries * limits.bytesPerEntry) },
      observer: {
        flushed(_partition, why) {
          if (why === 'rollback')
            log.warn('Countersign’s store went back to an older state: everything kept is forgotten')
        },
      },
    })
    this.#questions = new Questions(parts)
    this.#watching = new Watching({
      ...parts,
      upstream,
      cache: this.#cache,
      onState: (state, why) =>
        state === 'watching'
          ? log.info('Countersign is being watched')
          : log.warn(`Countersign is not being watched: ${why}`),
    })
    if (this.#isCaching) this.#watching.start()
  }

  async verify(token: string, requirements: Requirements = {}): Promise<Verification> {
    const { minRevision = '' } = requirements
    const kept = minRevision === '' || this.#cache.covers(minRevision) ? this.#cache.get(token) : undefined
    const known = kept === undefined ? await this.#ask(token, minRevision) : kept
    return known === null ? notActive : decide(known, requirements)
  }

  stats() {
    const { isWatching } = this.#watching
    return { ...this.#cache.stats(), ...this.#questions.counts, isWatching, anonymous: 0 }
  }

  metrics(): string {
    return metricsOf(this.stats())
  }

  close(): void {
    this.#watching.close()
    this.#parts.upstream.close()
  }

  async #ask(token: string, minRevision: string): Promise<Known> {
    if (!isTokenShaped(token)) return null
    const endMs = this.#parts.clock.monotonicMs() + this.#parts.deadlineMs
    if (minRevision !== '') return this.#put(token, minRevision, endMs).answer
    for (;;) {
      const asking = this.#asking.get(token)
      if (!asking) break
      // A question not put yet is as good as one of our own. The answer to one put before we were asked is good enough
      // only if it was kept, and is proven now.
      if (!asking.isPut) {
        const joined = await asking.answer.catch((thrown: unknown) => asFailure(thrown))
        // Whoever asked first may have had less time left.
        const isTooEarly = joined instanceof Failure && joined.code === 'deadline_exceeded'
        if (isTooEarly && this.#parts.clock.monotonicMs() < endMs) continue
        if (joined instanceof Failure) throw joined
        return joined
      }
      await asking.answer.catch(() => undefined)
      const kept = this.#cache.get(token)
      if (kept !== undefined) return kept
    }
    const asking = this.#put(token, '', endMs)
    this.#asking.set(token, asking)
    const forget = () => this.#asking.get(token) === asking && this.#asking.delete(token)
    asking.answer.then(forget, forget)
    return asking.answer
  }

  #put(token: string, minRevision: string, endMs: number): Asking {
    const staleness = { $case: 'maxStalenessMs', value: this.#parts.maxStalenessMs } as const
    const partition = partitionTold(token)
    let ticket = this.#cache.ticket()
    const prepare = (): IntrospectRequest => {
      asking.isPut = true
      ticket = this.#cache.ticket()
      const known = this.#isCaching ? this.#cache.minRevision(partition) : ''
      const minRevisions = [minRevision, known].filter((revision) => revision !== '').join(' ')
      return { token, tokenTypeHint: '', minRevision: minRevisions, staleness }
    }
    const answer = this.#questions.ask(prepare, endMs).then((response) => {
      const known = response.active ? tokenOf(response, this.#shared) : null
      if (this.#isCaching) this.#keep(token, response, known, ticket, partition)
      return known
    })
    const asking: Asking = { isPut: false, answer }
    return asking
  }

  #keep(
    token: string,
    response: IntrospectResponse,
    value: Known,
    ticket: ReturnType<LeasedCache<Known>['ticket']>,
    asked: number | undefined,
  ): void {
    const { active: isActive, revokedBy } = response
    // A service that does not say what would revoke the token, or says that its log is another than we asked with.
    if (isActive && (!revokedBy || (asked !== undefined && asked !== revokedBy.partition))) return
    this.#cache.keep(ticket, token, {
      value,
      partition: isActive ? revokedBy!.partition : asked,
      revokedBy: isActive ? factsAbout(token, response) : [],
      expiresAt: isActive ? response.exp * 1_000 : Infinity,
      bytes: value
        ? limits.knownTokenBytes + this.#shared.ownBytes(value.roles) + this.#shared.ownBytes(value.attributes)
        : 0,
      isActive,
    })
  }
}

/** Text format of Prometheus. */
export function metricsOf(stats: ReturnType<LeasedVerifier['stats']>): string {
  const gauges = new Set(['entries', 'negativeEntries', 'bytes', 'isWatching'])
  const lines = Object.entries(stats).flatMap(([name, value]) => {
    const words = name
      .replace(/^is/, '')
      .replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
      .replace(/^_/, '')
    const metric = `countersign_verifier_${words}${gauges.has(name) ? '' : '_total'}`
    return [`# TYPE ${metric} ${gauges.has(name) ? 'gauge' : 'counter'}`, `${metric} ${Number(value)}`]
  })
  return `${lines.join('\n')}\n`
}
