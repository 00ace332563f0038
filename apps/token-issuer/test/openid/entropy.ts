/** Bits of a text as its own letters are spread (Shannon): what a short or monotonous one lacks. */
export function entropyBits(text: string): number {
  const counts = new Map<string, number>()
  for (const letter of text) counts.set(letter, (counts.get(letter) ?? 0) + 1)
  const shares = [...counts.values()].map((count) => count / text.length)
  return text.length * -shares.reduce((sum, share) => sum + share * Math.log2(share), 0)
}
