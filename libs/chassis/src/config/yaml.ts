import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Node, type YAMLMap } from 'yaml'
import { limits } from './limits.ts'
import type { Place, Places } from './places.ts'
import type { Path } from './problem.ts'

/** Characters from the start, and the same as line and column, from 1. */
export interface Position {
  readonly offset: number
  readonly line: number
  readonly column: number
}

/** Something wrong with the text itself. */
export interface Flaw {
  readonly place: Place
  readonly path: Path
  readonly message: string
}

// The parser's own messages repeat the text around the mistake, which may be a secret.
const syntax: Record<string, string> = {
  BAD_ALIAS: 'an alias needs a name; text that begins with * must be quoted',
  BAD_INDENT: 'the indentation does not fit what is above',
  BAD_SCALAR_START: 'text that begins with @ or ` must be quoted',
  BLOCK_AS_IMPLICIT_KEY: 'a map cannot begin here; text with ": " in it must be quoted',
  MISSING_CHAR: 'a quote, bracket, comma or colon is missing here or before',
  MULTIPLE_DOCS: 'a second document begins here; one is expected',
  NON_STRING_KEY: 'a key must be text',
  TAB_AS_INDENT: 'a tab cannot indent; use spaces',
  TAG_RESOLVE_FAILED: 'tags are not used here; text that begins with ! must be quoted',
}

/**
 * Reads YAML 1.2 into plain values, and notes in `places` where each key and value stands; `base` is the path of the whole.
 * Flaws never repeat the text.
 */
export function readYaml(text: string, base: Path, places: Places, placeOf: (position: Position) => Place) {
  const lines = new LineCounter()
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    schema: 'core',
    version: '1.2',
    merge: false,
    resolveKnownTags: false,
    stringKeys: true,
    uniqueKeys: false,
    logLevel: 'error',
  })
  const at = (offset: number): Place => {
    const { line, col } = lines.linePos(offset)
    return placeOf({ offset, line, column: col })
  }
  const flaws: Flaw[] = [...document.errors, ...document.warnings].map(({ code, pos }) => ({
    place: at(pos[0]),
    path: base,
    message: syntax[code] ?? `is not YAML (${code.toLowerCase().replaceAll('_', ' ')})`,
  }))
  if (flaws.length > 0) return { value: undefined, flaws }
  const builder = new Builder(places, at, flaws)
  const value = builder.build(document.contents, base, builder.at(document.contents))
  return { value, flaws }
}

class Builder {
  readonly #places: Places
  readonly #at: (offset: number) => Place
  readonly #flaws: Flaw[]
  readonly #anchors = new Map<string, Node>()
  #values = 0

  constructor(places: Places, at: (offset: number) => Place, flaws: Flaw[]) {
    this.#places = places
    this.#at = at
    this.#flaws = flaws
  }

  at(node: Node | null): Place {
    return this.#at(node?.range?.[0] ?? 0)
  }

  build(node: Node | null, path: Path, key: Place): unknown {
    const place = node === null ? key : this.at(node)
    if (!this.#within(path, place)) return undefined
    this.#places.set(path, place, key)
    if (isAlias(node)) {
      const target = this.#anchors.get(node.source)
      if (target !== undefined) return this.build(target, path, key)
      this.#flaw(place, path, 'an alias names no anchor above; text that begins with * must be quoted')
      return null
    }
    if (node?.anchor !== undefined) this.#anchors.set(node.anchor, node)
    if (isMap(node)) return this.#map(node as YAMLMap<Node, Node | null>, path)
    if (isSeq(node))
      return node.items.map((item, index) => this.build(item as Node, [...path, index], this.at(item as Node)))
    return isScalar(node) ? node.value : null
  }

  #map(node: YAMLMap<Node, Node | null>, path: Path): Record<string, unknown> {
    const map: Record<string, unknown> = Object.create(null)
    const firsts = new Map<string, Place>()
    for (const pair of node.items) {
      const name = String(isScalar(pair.key) ? pair.key.value : '')
      const place = this.at(pair.key)
      const below = [...path, name]
      const first = firsts.get(name)
      if (first !== undefined) this.#flaw(place, below, `is given twice, first at ${first.where}`)
      else map[name] = this.build(pair.value, below, place)
      firsts.set(name, first ?? place)
    }
    return map
  }

  /** Whether one more value still fits; an alias bomb or a cycle does not. */
  #within(path: Path, place: Place): boolean {
    this.#values++
    if (this.#values <= limits.values && path.length <= limits.depth) return true
    const most =
      path.length > limits.depth ? `${limits.depth} maps and lists in one another` : `${limits.values} values`
    const told = this.#flaws.some(({ message }) => message.startsWith('there are more than'))
    if (!told) this.#flaw(place, [], `there are more than ${most}, aliases followed`)
    return false
  }

  #flaw(place: Place, path: Path, message: string): void {
    this.#flaws.push({ place, path, message })
  }
}
