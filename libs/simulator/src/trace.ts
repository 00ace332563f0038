/** What happened in a world, as one number: two runs are the same when it is. */
export class Trace {
  #high = 0x243f6a88
  #low = 0x85a308d3
  readonly #names = new Map<string, number>()
  readonly #float = new Float64Array(1)
  readonly #words = new Uint32Array(this.#float.buffer)
  /** Hears of what is worth telling. */
  readonly #tell: ((atMs: number, text: string) => void) | undefined

  constructor(tell?: (atMs: number, text: string) => void) {
    this.#tell = tell
  }

  get isTold(): boolean {
    return this.#tell !== undefined
  }

  get hash(): string {
    return [this.#high, this.#low].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('')
  }

  /** Something happened: its name is one of few. */
  note(atMs: number, name: string): void {
    this.#float[0] = atMs
    this.#mix(this.#words[0]!)
    this.#mix(this.#words[1]!)
    this.#mix(this.#numberOf(name))
  }

  /** Something worth telling happened. */
  tell(atMs: number, text: () => string): void {
    this.#tell?.(atMs, text())
  }

  #numberOf(name: string): number {
    const known = this.#names.get(name)
    if (known !== undefined) return known
    let number = 0
    for (let at = 0; at < name.length; at++) number = Math.imul(number ^ name.charCodeAt(at), 0x5bd1e995)
    this.#names.set(name, number)
    return number
  }

  #mix(word: number): void {
    this.#high = Math.imul(this.#high ^ word, 0x9e3779b1)
    this.#low = Math.imul((this.#low ^ (this.#high >>> 15)) + word, 0x85ebca6b)
  }
}
