import { complain, text } from './leaf.ts'
import { limits } from './limits.ts'
import { nearest } from './nearest.ts'
import { meant, quote } from './problem.ts'

/** One clause of RFC 4515 section 3 whose inner clauses, if any, are reduced to NUL already. */
const clause = /\((?:[&|]\0+|!\0|[^()&|!=\0][^()=\0]*=[^()\0]*)\)/g

function isFilter(given: string): boolean {
  if (given.length > limits.filterCharacters || /\p{Cc}/u.test(given)) return false
  for (let rest = given, before = ''; rest !== before;) {
    before = rest
    rest = rest.replace(clause, '\0')
    if (rest === '\0') return true
  }
  return false
}

/** A filter of LDAP (RFC 4515), such as the example, that has one of these names in braces at least, and no others. */
export function ldapFilter(example: string, names: readonly string[]) {
  const known = names.map((name) => `{${name}}`)
  const listed = `${known.slice(0, -1).join(', ')} or ${known.at(-1)}`
  const fault = (given: string): string | undefined => {
    const found = given.match(/\{[^{}]*\}/g) ?? []
    const other = found.find((name) => !known.includes(name))
    if (other !== undefined) return `has ${quote(other)}, which is not ${listed}${meant(nearest(other, known))}`
    return found.length > 0 ? undefined : `needs ${listed} in it, or everybody would be found alike`
  }
  return text(`an LDAP filter such as ${example} (RFC 4515)`, (given) =>
    isFilter(given) ? given : undefined,
  ).transform((given, issues): string => {
    const sentence = fault(given)
    return sentence === undefined ? given : complain(issues, given, sentence)
  })
}
