const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const base = alphabet.length
const invalid = 0xff
const values = new Uint8Array(128).fill(invalid)
for (let i = 0; i < base; i++) values[alphabet.charCodeAt(i)] = i

/** Bytes are coded in groups small enough for exact arithmetic on doubles: 5 bytes in 7 characters. */
const groupBytes = 5
const groupCharacters = 7
/** Characters that n bytes need, n up to 5. */
const charactersFor = [0, 2, 3, 5, 6, 7] as const

export const base62Length = (bytes: number): number =>
  Math.floor(bytes / groupBytes) * groupCharacters + charactersFor[bytes % groupBytes]!

/** Fixed length per number of bytes; no padding. */
export function encodeBase62(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += groupBytes) {
    const size = Math.min(groupBytes, bytes.length - at)
    let number = 0
    for (let i = 0; i < size; i++) number = number * 256 + bytes[at + i]!
    let group = ''
    for (let i = charactersFor[size]!; i > 0; i--) {
      group = alphabet[number % base]! + group
      number = Math.floor(number / base)
    }
    text += group
  }
  return text
}

/** Decodes `text` from `start` into `into`, whose length says how much to expect; false when it is not its one encoding. */
export function decodeBase62(text: string, start: number, into: Uint8Array): boolean {
  if (text.length - start !== base62Length(into.length)) return false
  let position = start
  for (let at = 0; at < into.length; at += groupBytes) {
    const size = Math.min(groupBytes, into.length - at)
    let number = 0
    for (let i = charactersFor[size]!; i > 0; i--) {
      const code = text.charCodeAt(position++)
      const value = code < 128 ? values[code]! : invalid
      if (value === invalid) return false
      number = number * base + value
    }
    if (number >= 256 ** size) return false
    for (let i = size - 1; i >= 0; i--) {
      into[at + i] = number % 256
      number = Math.floor(number / 256)
    }
  }
  return true
}
