import { inspect } from 'node:util'

const shown = '[secret]'

/** Holds a secret so that printing, logging or serializing what it is in does not show it. */
export class Secret {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  /** The secret itself; for the one place that uses it. */
  reveal(): string {
    return this.#text
  }

  toString(): string {
    return shown
  }

  toJSON(): string {
    return shown
  }

  [inspect.custom](): string {
    return shown
  }
}
