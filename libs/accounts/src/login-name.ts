import { hash } from 'node:crypto'
import { limits } from './limits.ts'

/**
 * A login name as it is compared: NFKC, lower case, without space around it. Undefined when it is none: empty, too long, or
 * with control characters, lone surrogates or such as steer the direction of text in it.
 */
export function normalizeLoginName(written: string): string | undefined {
  if (written.length > limits.loginNameCharacters || !written.isWellFormed()) return undefined
  // Twice: lower case may take apart what NFKC had composed.
  const name = written.normalize('NFKC').toLowerCase().normalize('NFKC').trim()
  if (name === '' || name.length > limits.loginNameCharacters) return undefined
  return /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cn}\p{Co}]/u.test(name) ? undefined : name
}

/** What a normalised login name is kept under: keys are short and ASCII, and are seen by operators. */
export const digestOfLoginName = (name: string): string => hash('sha256', name, 'base64url')
