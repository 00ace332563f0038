import { Failure } from '@countersign/contracts'
import { limits } from './limits.ts'
import type { GuessEstimator } from './password-strength.ts'

export type PasswordMistake = 'too_short' | 'too_long' | 'is_own_name' | 'too_common'

export interface PasswordOwner {
  readonly loginName?: string | undefined
  readonly name?: string | undefined
  readonly email?: string | undefined
}

export interface PasswordPolicyOptions {
  readonly leastCharacters: number
  /** Passwords that nobody may have, in any case. */
  readonly refused: Iterable<string>
}

export interface PasswordPolicy {
  readonly leastCharacters: number
  /** Why a new password will not do; undefined when it will. The first call loads what is known of common passwords. */
  mistake(password: string, owner: PasswordOwner): Promise<PasswordMistake | undefined>
}

const folded = (text: string): string => text.normalize('NFKC').toLowerCase().trim()

/** What somebody is called, as a whole and in parts; longest first. */
function ownWords({ loginName = '', name = '', email = '' }: PasswordOwner): string[] {
  const wholes = [loginName, name, email].map((text) => folded(text).slice(0, limits.estimatedCharacters))
  const parts = wholes.flatMap((whole) => [
    whole,
    whole.replace(/[^\p{L}\p{N}]/gu, ''),
    ...whole.split(/[^\p{L}\p{N}]+/u),
  ])
  const words = new Set(parts.filter((part) => part.length >= 3))
  return [...words].sort((a, b) => b.length - a.length)
}

/** Whether at least half of it is what its owner is called. */
function isMostly(password: string, words: readonly string[]): boolean {
  const left = words.reduce((rest, word) => rest.replaceAll(word, ''), password)
  return left.length * 2 <= password.length
}

function refusedOf(refused: Iterable<string>, leastCharacters: number): Set<string> {
  const kept = new Set<string>()
  for (const line of refused) {
    const password = folded(line)
    if (password.length < leastCharacters) continue
    kept.add(password)
    if (kept.size > limits.refusedPasswords)
      throw new Failure('invalid_request', `at most ${limits.refusedPasswords} passwords can be refused by a list`)
  }
  return kept
}

/**
 * Which new passwords are taken (NIST SP 800-63B section 3.1.1.2): none that is short, on a list of those commonly used, made
 * from what its owner is called, or guessed easily.
 * @throws Failure `invalid_request` when the list is too long
 */
export function createPasswordPolicy({ leastCharacters, refused }: PasswordPolicyOptions): PasswordPolicy {
  const list = refusedOf(refused, leastCharacters)
  let estimator: Promise<GuessEstimator> | undefined
  const load = () => import('./password-strength.ts').then(({ createGuessEstimator }) => createGuessEstimator())

  return {
    leastCharacters,
    async mistake(written, owner) {
      const password = written.normalize('NFC')
      if ([...password].length < leastCharacters) return 'too_short'
      if (password.length > limits.passwordMostCharacters) return 'too_long'
      const words = ownWords(owner)
      if (isMostly(folded(password), words)) return 'is_own_name'
      if (list.has(folded(password))) return 'too_common'
      const guessesOf = await (estimator ??= load())
      return guessesOf(password, words) < limits.passwordLeastGuesses ? 'too_common' : undefined
    },
  }
}
