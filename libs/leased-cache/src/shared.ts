import { sharedCharacters, sharedTexts } from './limits.ts'

/** Keeps one copy of what many answers hold: scopes, audiences, issuers, clients. */
export class Shared {
  readonly #texts = new Map<string, string>()
  readonly #words = new Map<string, ReadonlySet<string>>()
  readonly #data = new Map<string, object>()

  text(text: string): string {
    return one(this.#texts, text, () => text)
  }

  /** The words of a text, which are separated by spaces. */
  words(text: string): ReadonlySet<string> {
    return one(this.#words, text, () => new Set(text === '' ? [] : text.split(' ')))
  }

  list(list: readonly string[]): readonly string[] {
    return this.data([...list])
  }

  /** Anything that JSON can tell, to the last of it; it is frozen, all of it. What is long is not shared: see {@link ownBytes}. */
  data<T extends object>(data: T): T {
    const key = JSON.stringify(data)
    return key.length > sharedCharacters ? frozen(data) : (one(this.#data, key, () => frozen(data)) as T)
  }

  /** Estimate of what data takes that is too long to be shared; 0 for other. */
  ownBytes(data: object): number {
    const characters = JSON.stringify(data).length
    return characters > sharedCharacters ? characters * 2 : 0
  }
}

function frozen<T>(data: T): T {
  if (typeof data === 'object' && data !== null) Object.values(data).forEach(frozen)
  return Object.freeze(data)
}

function one<T>(known: Map<string, T>, key: string, make: () => T): T {
  const found = known.get(key)
  if (found !== undefined) return found
  if (known.size >= sharedTexts) known.clear()
  const made = make()
  known.set(key, made)
  return made
}
