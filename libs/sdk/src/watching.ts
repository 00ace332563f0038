import { formatRevision, parseRevision, type Fact, type FactPush } from '@countersign/contracts'
import type { PartitionLog as LogMessage, WatchResponse } from '@countersign/contracts/introspection'
import { probeIntervalMs, type Clock, type LeasedCache, type PartitionLog } from '@countersign/leased-cache'
import { limits } from './limits.ts'
import type { Upstream, WatchStream } from './upstream.ts'

export interface WatchingOptions {
  upstream: Upstream
  cache: LeasedCache<unknown>
  clock: Clock
  random: () => number
  maxStalenessMs: number
  name: string
  onState(state: 'watching' | 'lost', why: string): void
}

/** Keeps a cache's lease: probes, hears of revocations, and acknowledges them; opens the stream again when it is lost. */
export class Watching {
  readonly #options: WatchingOptions
  #stream: WatchStream | undefined
  #isAnswered = false
  #isClosed = false
  #losses = 0
  #unanswered = 0
  readonly #intervalMs: number
  readonly #mostUnanswered: number
  #cancelProbe = (): void => undefined
  #isAcknowledging = false
  #acknowledged = ''

  constructor(options: WatchingOptions) {
    this.#options = options
    this.#intervalMs = probeIntervalMs(options.maxStalenessMs)
    this.#mostUnanswered = Math.max(limits.watchSilentProbes, Math.ceil(limits.watchSilenceMs / this.#intervalMs))
  }

  /** Whether the stream at hand has brought a proof. */
  get isWatching(): boolean {
    return this.#isAnswered
  }

  start(): void {
    const { upstream, name, maxStalenessMs } = this.#options
    let stream: WatchStream
    try {
      stream = upstream.watch({
        onResponse: (response) => this.#stream === stream && this.#hear(response),
        onClosed: (failure) => this.#stream === stream && this.#lost(failure.message),
      })
    } catch (thrown) {
      return this.#lost(thrown instanceof Error ? thrown.message : String(thrown))
    }
    this.#stream = stream
    this.#acknowledged = ''
    this.#unanswered = 0
    stream.send({ say: { $case: 'hello', value: { name, maxStalenessMs } } })
    this.#probe()
  }

  close(): void {
    this.#isClosed = true
    this.#cancelProbe()
    this.#stream?.close()
    this.#stream = undefined
    this.#isAnswered = false
  }

  #probe(): void {
    const { cache, clock } = this.#options
    // Probes are counted, not seconds: this process may have stood still.
    if (++this.#unanswered > this.#mostUnanswered) {
      this.#stream?.close()
      return this.#lost('nothing was answered for too long')
    }
    // The cache stamps the probe as it is made: everything between that and the store counts as age.
    this.#stream?.send({ say: { $case: 'probe', value: cache.probe() } })
    this.#cancelProbe = clock.after(this.#intervalMs, () => this.#probe())
  }

  #hear({ say }: WatchResponse): void {
    const { cache, onState } = this.#options
    if (say?.$case === 'push') {
      cache.push({ ...say.value, facts: say.value.facts as Fact[] } satisfies FactPush)
    } else if (say?.$case === 'answer') {
      this.#unanswered = 0
      const proven = cache.settle(say.value.nonce, say.value.logs.map(logOf))
      if (proven.length > 0 && !this.#isAnswered) {
        this.#isAnswered = true
        this.#losses = 0
        onState('watching', '')
      }
    }
    this.#acknowledgeSoon()
  }

  #acknowledgeSoon(): void {
    if (this.#isAcknowledging) return
    this.#isAcknowledging = true
    this.#options.clock.after(limits.acknowledgeMs * (1 + this.#options.random()), () => {
      this.#isAcknowledging = false
      const revisions = this.#options.cache.places().map(({ revision }) => revision)
      const told = revisions.join(' ')
      if (told === this.#acknowledged || !this.#stream) return
      this.#acknowledged = told
      this.#stream.send({ say: { $case: 'applied', value: { revisions } } })
    })
  }

  #lost(why: string): void {
    const { clock, random, onState } = this.#options
    this.#stream = undefined
    this.#cancelProbe()
    if (this.#isClosed) return
    if (this.#isAnswered || this.#losses === 0) onState('lost', why)
    this.#isAnswered = false
    const waitMs = Math.min(limits.watchAgainMs * 2 ** this.#losses++, limits.longestWatchAgainMs)
    clock.after(waitMs * (0.5 + random() / 2), () => this.#isClosed || this.start())
  }
}

/** The facts of a message end at its revision, without a gap. */
function logOf({ revision, tip, complete, otherHistory, facts }: LogMessage): PartitionLog {
  const head = parseRevision(revision)
  const first = (head?.sequence ?? 0) - facts.length + 1
  return {
    revision: head ? formatRevision(head) : revision,
    tip,
    complete,
    otherHistory,
    facts: facts.map(({ kind, id, tip: factTip }, n) => ({
      sequence: first + n,
      fact: { kind, id } as Fact,
      tip: factTip,
    })),
  }
}
