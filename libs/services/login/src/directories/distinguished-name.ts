import { limits } from './limits.ts'

const pairs = /\s*([\w.-]+)\s*=((?:\\.|"(?:\\.|[^"\\])*"|[^\\",;+])*)([,;+]|$)/suy

const unescaped = (written: string): string => {
  const value = written.replace(/^\s+/, '').replace(/(?<!\\)\s+$/, '')
  const inner = /^"(.*)"$/s.exec(value)?.[1] ?? value
  return inner.replace(/(?:\\[\da-f]{2})+|\\(.)/gisu, (text, character?: string) =>
    character === undefined ? Buffer.from(text.replaceAll('\\', ''), 'hex').toString() : character,
  )
}

/** Types and values of a relative distinguished name, both in lower case: names are told apart without regard to it. */
type Pairs = readonly (readonly [type: string, value: string])[]

/** The parts of a distinguished name (RFC 4514), leaf first; undefined when it is none. */
export function readName(written: string): readonly Pairs[] | undefined {
  if (written.length > limits.nameCharacters) return undefined
  const parts: [string, string][][] = [[]]
  const pair = new RegExp(pairs)
  for (;;) {
    const [, type, value = '', end] = pair.exec(written) ?? []
    if (type === undefined) return undefined
    parts.at(-1)!.push([type.toLowerCase(), unescaped(value).toLowerCase()])
    if (end === '') return parts
    if (end !== '+') parts.push([])
  }
}

/** The same text for every way to write the same distinguished name. */
export function canonicalName(written: string): string | undefined {
  const parts = readName(written)
  return parts && JSON.stringify(parts.map((part) => part.toSorted(([a], [b]) => (a < b ? -1 : 1))))
}
