/** A kept answer. */
export interface Entry<V> {
  readonly value: V
  readonly key: string
  readonly bytes: number
  /** Asked about since it was last passed over. */
  isUsed: boolean
}

/**
 * Answers by key, bounded in number. Whatever was asked about since it was last passed over is spared once: what is in
 * use stays, and what was asked about only once goes first.
 */
export class Region<V, E extends Entry<V>> {
  readonly #mostEntries: number
  readonly #entries = new Map<string, E>()
  /** Where eviction goes on: it need not pass over what was taken out already. */
  #hand: MapIterator<E> | undefined
  #setSinceEviction = 0
  bytes = 0
  evicted = 0

  constructor(mostEntries: number) {
    this.#mostEntries = mostEntries
  }

  get size(): number {
    return this.#entries.size
  }

  get(key: string): E | undefined {
    return this.#entries.get(key)
  }

  set(entry: E): void {
    if (this.#mostEntries === 0) return
    this.delete(entry.key)
    while (this.#entries.size >= this.#mostEntries) this.evict()
    this.#entries.set(entry.key, entry)
    this.bytes += entry.bytes
    // An iterator at rest holds on to every table that the map has outgrown since, with all that was in them.
    if (++this.#setSinceEviction > this.#entries.size) this.#hand = undefined
  }

  delete(key: string): void {
    const entry = this.#entries.get(key)
    if (!entry) return
    this.#entries.delete(key)
    this.bytes -= entry.bytes
  }

  /** Takes one entry out, if there is one. */
  evict(): void {
    this.#setSinceEviction = 0
    while (this.#entries.size > 0) {
      this.#hand ??= this.#entries.values()
      const { value: entry, done } = this.#hand.next()
      if (done) {
        this.#hand = undefined
        continue
      }
      if (!entry.isUsed) {
        this.delete(entry.key)
        this.evicted++
        return
      }
      entry.isUsed = false
      this.#entries.delete(entry.key)
      this.#entries.set(entry.key, entry)
    }
  }
}
