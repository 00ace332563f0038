import type { Fact } from '@countersign/contracts'

const kindSalts: Readonly<Record<string, number>> = { token: 1, grant: 2, session: 3, subject: 4, client: 5 }

/** Whether a fact of this kind ends answers about something that can be told; of any other kind it ends all of them. */
export const isKnownKind = (kind: string): boolean => kind in kindSalts

/**
 * 32 bits for a fact, under a seed of this cache's own. Two facts may share them: then an answer is asked for once more
 * than needed, and that is all.
 */
export function hashOf({ kind, id }: Fact, seed: number): number {
  let hash = seed ^ Math.imul(kindSalts[kind] ?? 0, 0x9e3779b1)
  for (let at = 0; at < id.length; at++) {
    hash = Math.imul(hash ^ id.charCodeAt(at), 0x5bd1e995)
    hash ^= hash >>> 15
  }
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) | 0
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
