/** A growing list of times, without an allocation for each. */
export class Latencies {
  #values = new Float64Array(1 << 16)
  count = 0

  add(ms: number): void {
    if (this.count === this.#values.length) {
      const more = new Float64Array(this.#values.length * 2)
      more.set(this.#values)
      this.#values = more
    }
    this.#values[this.count++] = ms
  }

  values(): Float64Array {
    return this.#values.slice(0, this.count)
  }
}
