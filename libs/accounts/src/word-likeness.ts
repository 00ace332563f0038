const letters = 26
/** Before the first letter of a word. */
const start = letters
const columns = letters + 1

const indexOf = (letter: string): number => letter.charCodeAt(0) - 'a'.charCodeAt(0)

/** Bits of surprise, on average, with which each letter follows the one before it; for words of a to z. */
export type Surprise = (word: string) => number

/** Learns from words which letters follow which: made-up words, names and other languages look alike, and random letters do not. */
export function learnSurprise(words: Iterable<string>): Surprise {
  const counts = new Float64Array(columns * letters).fill(0.5)
  for (const word of words) {
    if (!/^[a-z]{4,}$/.test(word)) continue
    let before = start
    for (const letter of word) {
      counts[before * letters + indexOf(letter)]!++
      before = indexOf(letter)
    }
  }
  const bits = counts.map((count, n) => {
    const row = n - (n % letters)
    const total = counts.subarray(row, row + letters).reduce((sum, each) => sum + each, 0)
    return -Math.log2(count / total)
  })
  return (word) => {
    let [before, sum] = [start, 0]
    for (const letter of word) {
      sum += bits[before * letters + indexOf(letter)]!
      before = indexOf(letter)
    }
    return sum / word.length
  }
}
