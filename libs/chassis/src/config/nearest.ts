import { limits } from './limits.ts'

/** Letters to insert, delete, replace or swap with their neighbour, to get from one word to the other. */
function distance(from: string, to: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1]
      let cost = Math.min(last[column]! + 1, current[column - 1]! + 1, last[column - 1]! + (same ? 0 : 1))
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
      if (swapped && row > 1 && column > 1) cost = Math.min(cost, beforeLast[column - 2]! + 1)
      current.push(cost)
    }
    beforeLast = last
    last = current
  }
  return last[to.length]!
}

/** The candidate that was probably meant by `word`, if one is near enough. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const { characters } = limits.suggestion
  const given = word.slice(0, characters).toLowerCase()
  let best: string | undefined
  let least = Math.max(1, Math.floor(given.length / 3)) + 1
  let seen = 0
  for (const candidate of candidates) {
    if (++seen > limits.suggestion.candidates) break
    if (Math.abs(candidate.length - given.length) >= least) continue
    const steps = distance(given, candidate.slice(0, characters).toLowerCase())
    if (steps < least) [best, least] = [candidate, steps]
  }
  return best
}
