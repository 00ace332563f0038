import { sharedTexts } from './limits.ts'

/** Keeps one copy of what many answers hold: scopes, audiences, issuers, clients. */
export class Shared {
  readonly #texts = new Map<string, string>()
  readonly #words = new Map<string, ReadonlySet<string>>()
  readonly #lists = new Map<string, readonly string[]>()

  text(text: string): string {
    return one(this.#texts, text, () => text)
  }

  /** The words of a text, which are separated by spaces. */
  words(text: string): ReadonlySet<string> {
    return one(this.#words, text, () => new Set(text === '' ? [] : text.split(' ')))
  }

  list(list: readonly string[]): readonly string[] {
    return one(this.#lists, JSON.stringify(list), () => Object.freeze([...list]))
  }
}

function one<T>(known: Map<string, T>, key: string, make: () => T): T {
  const found = known.get(key)
  if (found !== undefined) return found
  if (known.size >= sharedTexts) known.clear()
  const made = make()
  known.set(key, made)
  return made
}
