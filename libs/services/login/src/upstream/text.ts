import { limits } from './limits.ts'

/** Control characters, line and paragraph separators, what turns the direction of text, and what cannot be seen at all. */
const hidden =
  /[\p{Cc}\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/u

/** Undefined for what is no text that can be stored, shown in a line and sent in a header. */
export function textOf(value: unknown, characters: number = limits.claimCharacters): string | undefined {
  if (typeof value !== 'string' || value.length > characters || value.trim() === '') return undefined
  return value.isWellFormed() && !hidden.test(value) ? value : undefined
}

/** One address without a name (RFC 5322 section 3.4.1), and nothing that could be read as two. */
const address = /^[^\s@"<>()[\]\\,;:]{1,64}@[^\s@"<>()[\]\\,;:]+$/

export function emailOf(value: unknown): string | undefined {
  const text = textOf(value)
  return text !== undefined && address.test(text) ? text : undefined
}

/** A page or a picture, and never a `javascript:` URL. */
export function webUrlOf(value: unknown): string | undefined {
  const text = textOf(value)
  return text !== undefined && /^https?:\/\//i.test(text) && URL.canParse(text) ? text : undefined
}

/** The same text once. */
export const unique = (texts: readonly string[]): string[] => [...new Set(texts)]
