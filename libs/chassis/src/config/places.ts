import type { Path } from './problem.ts'

/** Where something stands, and in which order it is reported. */
export interface Place {
  readonly where: string
  readonly order: number
}

interface Origin {
  readonly key: Place
  readonly value: Place
}

const nameOf = (path: Path): string => JSON.stringify(path)

/** Remembers where every key and value came from. */
export class Places {
  readonly #origins = new Map<string, Origin>()

  constructor(root: Place) {
    this.#origins.set(nameOf([]), { key: root, value: root })
  }

  set(path: Path, value: Place, key: Place = value): void {
    this.#origins.set(nameOf(path), { key, value })
  }

  /** Forgets what is below `path`, because something else took its place. */
  replace(path: Path, place: Place): void {
    const prefix = `${nameOf(path).slice(0, -1)},`
    for (const name of this.#origins.keys()) if (name.startsWith(prefix)) this.#origins.delete(name)
    this.set(path, place)
  }

  /** Where the value at `path` stands; of what is missing, where it was looked for. */
  of(path: Path, part: keyof Origin = 'value'): Place {
    for (let length = path.length; ; length--) {
      const origin = this.#origins.get(nameOf(path.slice(0, length)))
      if (origin !== undefined) return length === path.length ? origin[part] : origin.value
    }
  }
}
