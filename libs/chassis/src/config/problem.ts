import { scrub } from '../log.ts'
import { limits } from './limits.ts'

export type Path = readonly (string | number)[]

/** One mistake in the configuration. */
export interface Problem {
  /** `countersign.yaml:12:5` (line and column from 1), or the name of an environment variable. */
  readonly where: string
  /** As in `clients[1].audience[0]`; empty when no key is concerned. */
  readonly key: string
  /** What was expected and what was found; never a secret. */
  readonly message: string
}

const line = ({ where, key, message }: Problem): string =>
  [where, key, message].filter((part) => part !== '').join(': ')

/** Thrown when the configuration cannot be used; names every mistake in it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[]) {
    const shown = problems.slice(0, limits.problemsShown).map(line)
    const more = problems.length - shown.length
    super([...shown, ...(more > 0 ? [`… and ${more} more`] : [])].join('\n'))
    this.problems = problems
  }
}

/** `['clients', 1, 'redirect_uris', 0]` as `clients[1].redirect_uris[0]`. */
export function keyOf(path: Path): string {
  let key = ''
  for (const segment of path) {
    if (typeof segment === 'number') key += `[${segment}]`
    else if (!/^[\w-]+$/.test(segment)) key += `[${quote(segment)}]`
    else key += key === '' ? segment : `.${segment}`
  }
  return key
}

/** Text as a message shows it: escaped, cut, and without credentials. */
export function quote(text: string): string {
  const clean = scrub(text)
  const cut = clean.length > limits.shownCharacters ? `${clean.slice(0, limits.shownCharacters)}…` : clean
  return JSON.stringify(cut).replace(/[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, escape)
}

const escape = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`

/** `; did you mean …?`, or nothing. */
export const meant = (suggestion: string | undefined): string =>
  suggestion === undefined ? '' : `; did you mean ${suggestion}?`
