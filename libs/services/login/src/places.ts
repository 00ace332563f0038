import { Failure } from '@countersign/contracts'

/** Whose work it is, and how much of it may be done at once. */
export interface Holder {
  readonly key: string
  readonly most: number
}

/** So much at once for each key, so that nobody takes the whole of what is there for all. */
export class Places {
  readonly #held = new Map<string, number>()

  /** @throws Failure `too_many_requests` when one of the holders has as many as it may */
  async hold<T>(holders: readonly Holder[], work: () => Promise<T>): Promise<T> {
    if (holders.some(({ key, most }) => (this.#held.get(key) ?? 0) >= most)) {
      throw new Failure('too_many_requests', 'too much of this at once; try again in a moment', {
        retryAfterSeconds: 1,
      })
    }
    for (const { key } of holders) this.#held.set(key, (this.#held.get(key) ?? 0) + 1)
    try {
      return await work()
    } finally {
      for (const { key } of holders) this.#leave(key)
    }
  }

  #leave(key: string): void {
    const left = this.#held.get(key)! - 1
    if (left === 0) this.#held.delete(key)
    else this.#held.set(key, left)
  }
}
