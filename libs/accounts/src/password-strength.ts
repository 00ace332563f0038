import { MatcherBaseClass, ZxcvbnFactory, type Matcher, type MatchExtended, type MatchOptions } from '@zxcvbn-ts/core'
import { adjacencyGraphs, dictionary } from '@zxcvbn-ts/language-common'
import { limits } from './limits.ts'
import { learnSurprise, type Surprise } from './word-likeness.ts'

/**
 * About how many guesses find a password.
 * @param ownWords what its owner is called, lower case; guessed first
 */
export type GuessEstimator = (password: string, ownWords: readonly string[]) => number

/** Letters that are written as something else. */
const disguises: Readonly<Record<string, string>> = {
  ...{ '0': 'o', '1': 'i', '3': 'e', '4': 'a', '5': 's', '7': 't', '8': 'b', '9': 'g' },
  ...{ '@': 'a', $: 's', '!': 'i', '|': 'l', '+': 't', '€': 'e' },
}

const undisguised = (password: string): string =>
  password.toLowerCase().replace(/[^a-z]/g, (character) => disguises[character] ?? character)

/**
 * A word that no list has (a name, one of another language, one misspelt) is no better than one of a big list. Shorter ones are
 * weak anyway; in longer runs of letters there are several words.
 */
const wordLike = { pattern: 'wordLike', least: 6, most: 12, guesses: 2e5, mostSurpriseBits: 4.3 } as const

function wordsLikeIn(password: string, surprise: Surprise): MatchExtended[] {
  const texts = new Set([password.toLowerCase(), undisguised(password)])
  const matches = [...texts].flatMap((text) =>
    // Lower case may be longer, and then nothing is where it was.
    text.length === password.length ? [...text.matchAll(/[a-z]+/g)] : [],
  )
  return matches.flatMap(({ 0: run, index: i }) => {
    const isWord = run.length >= wordLike.least && run.length <= wordLike.most
    if (!isWord || surprise(run) > wordLike.mostSurpriseBits) return []
    const j = i + run.length - 1
    return [{ pattern: wordLike.pattern, i, j, token: password.slice(i, j + 1) }]
  })
}

function wordLikeMatcher(surprise: Surprise): Matcher {
  class Matching extends MatcherBaseClass {
    match({ password }: MatchOptions): MatchExtended[] {
      return wordsLikeIn(password, surprise)
    }
  }
  return { Matching, scoring: () => wordLike.guesses, feedback: () => null }
}

/** Builds the dictionaries: some 100 ms, once. */
export function createGuessEstimator(): GuessEstimator {
  const surprise = learnSurprise(Object.values(dictionary).flat())
  const options = {
    dictionary,
    graphs: adjacencyGraphs,
    maxLength: limits.estimatedCharacters,
    l33tMaxSubstitutions: 32,
  }
  const estimator = new ZxcvbnFactory(options, { [wordLike.pattern]: wordLikeMatcher(surprise) })
  return (password, ownWords) => estimator.check(password, [...ownWords]).guesses
}
