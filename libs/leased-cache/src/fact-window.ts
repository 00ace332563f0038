import type { Fact } from '@countersign/contracts'

const kindSalts: Readonly<Record<string, number>> = { token: 1, grant: 2, session: 3, subject: 4, client: 5 }

/** Whether a fact of this kind ends answers about something that can be told; of any other kind it ends all of them. */
export const isKnownKind = (kind: string): boolean => kind in kindSalts

/** Whether nothing that such a fact is about is ever good again: it names one token, one grant or one session. */
export const isFinal = ({ kind }: Fact): boolean => kind === 'token' || kind === 'grant' || kind === 'session'

/** 53 bits for a fact, under a seed of this cache's own: in a year of a million facts a day none is taken for another. */
export function hashOf({ kind, id }: Fact, seed: number): number {
  const salt = Math.imul(kindSalts[kind] ?? 0, 0x9e3779b1)
  let high = seed ^ salt
  let low = ~seed ^ salt
  for (let at = 0; at < id.length; at++) {
    const code = id.charCodeAt(at)
    high = Math.imul(high ^ code, 0x5bd1e995)
    high ^= high >>> 15
    low = Math.imul(low ^ code, 0x1b873593)
    low ^= low >>> 13
  }
  return (mixed(high) >>> 0) * 2 ** 21 + (mixed(low) >>> 11)
}

function mixed(hash: number): number {
  const once = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return once ^ (once >>> 16)
}

/**
 * The facts that were last noted, by hash. Each note moves the tick on, so a tick says which facts were noted after
 * it. Bounded: `floor` is the tick before which nothing is remembered.
 */
export class FactWindow {
  readonly #size: number
  readonly #ring: number[] = []
  readonly #ticks = new Map<number, number>()
  tick = 0

  constructor(size: number) {
    this.#size = size
  }

  note(hash: number): void {
    const at = this.tick % this.#size
    const forgotten = this.#ring[at]
    if (forgotten !== undefined && this.#ticks.get(forgotten) === this.tick - this.#size + 1)
      this.#ticks.delete(forgotten)
    this.#ring[at] = hash
    this.#ticks.set(hash, ++this.tick)
  }

  /** Moves the tick on without a fact. */
  mark(): number {
    this.note(0)
    return this.tick
  }

  /** Whether everything noted after this tick is still remembered. */
  remembers(tick: number): boolean {
    return this.tick - tick <= this.#size
  }

  isNotedAfter(tick: number, hash: number): boolean {
    return (this.#ticks.get(hash) ?? 0) > tick
  }
}
