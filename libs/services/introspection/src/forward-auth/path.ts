import { limits } from '../limits.ts'

/** A request's path, decoded; or why it has none that everybody reads alike. */
export type PathRead = { readonly path: string } | 'malformed' | 'ambiguous'

/** Visible ASCII that begins with a slash: RFC 9112 section 3.2.1. */
const originForm = /^\/[\x21-\x7e]*$/
/** What some servers cut, merge, turn around or take for the end of a path, and others do not. */
const dividing = /[\\;#]|\/\//
/** The same, and what may not be in a path at all, written as escapes. */
const dividingEscaped = /%(2[ef]|5c|3b|23|3f|[01][0-9a-f]|7f)/i

/**
 * The path of a request's target, as an API behind a gateway will read it: escapes decoded, once. Whatever two servers may read
 * in two ways is told apart from that, since a decision about the one reading would be none about the other.
 */
export function readPath(target: string): PathRead {
  if (target.length > limits.originalUriCharacters || !originForm.test(target)) return 'malformed'
  const raw = target.split('?', 1)[0]!
  if (/%(?![0-9a-f]{2})/i.test(raw)) return 'malformed'
  if (dividing.test(raw) || dividingEscaped.test(raw)) return 'ambiguous'
  const path = decoded(raw)
  // What still has an escape in it is another path to whoever decodes twice.
  if (path === undefined || /%[0-9a-f]{2}/i.test(path)) return 'ambiguous'
  return path.split('/').some((segment) => segment === '.' || segment === '..') ? 'ambiguous' : { path }
}

/** Undefined where the escapes are not UTF-8, such as an overlong `/`. */
function decoded(raw: string): string | undefined {
  try {
    return decodeURIComponent(raw)
  } catch {
    return undefined
  }
}
