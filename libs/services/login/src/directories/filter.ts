import { Failure } from '@countersign/contracts'
import { Filter, FilterParser } from 'ldapts'

const placeholder = /\{([a-z_]+)\}/g

/** What a directory would not see, or see as something else (RFC 4518 section 2): another name that finds the same person. */
const unseen = /[\p{C}\p{Default_Ignorable_Code_Point}\u1806\ufffc]/u
const isPlain = (value: string): boolean =>
  value !== '' && !unseen.test(value) && value === value.normalize('NFKC').trim() && !value.includes('  ')

/** A search filter (RFC 4515), or undefined when a value that it needs is absent or is not to be looked for. */
export type FilterOf<Name extends string> = (values: Readonly<Record<Name, string | undefined>>) => string | undefined

/**
 * A filter with places for values, e.g. `(uid={login_name})`. Values are escaped, so that they are never syntax.
 * @throws Failure `invalid_request` when it is no filter, has an unknown place, or none: it would find the same for everybody
 */
export function compileFilter<Name extends string>(template: string, names: readonly Name[]): FilterOf<Name> {
  const used = [...template.matchAll(placeholder)].map(([, name]) => name as Name)
  const fill = (valueOf: (name: Name) => string) =>
    template.replace(placeholder, (_, name: Name) => Filter.escape(valueOf(name)))
  const allowed = names.map((name) => `{${name}}`).join(', ')
  if (used.length === 0 || used.some((name) => !names.includes(name))) {
    throw new Failure('invalid_request', `the filter ${template} has to have ${allowed}, and nothing else in braces`)
  }
  try {
    // An asterisk, because it is escaped: what is escaped is good as a value only.
    FilterParser.parseString(fill(() => '*'))
  } catch (cause) {
    throw new Failure('invalid_request', `${template} is no search filter (RFC 4515)`, { cause })
  }
  return (values) => {
    if (!used.every((name) => values[name] !== undefined && isPlain(values[name]))) return undefined
    return fill((name) => values[name]!)
  }
}
