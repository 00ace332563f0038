import { Failure } from '@countersign/contracts'
import { limits } from '../limits.ts'

/** A JSON object as somebody sent it. */
export type Given = Readonly<Record<string, unknown>>

/*
 * Members of client metadata. Null is absent (RFC 7592 section 2.2). All throw Failure `invalid_request` for what is not of
 * the kind, naming the member and repeating nothing of it.
 */

const isAbsent = (value: unknown): value is undefined | null => value === undefined || value === null

/** Text of 1 to so many characters. */
export function text(value: unknown, mostCharacters: number): string {
  const fits = typeof value === 'string' && value !== '' && value.length <= mostCharacters && value.isWellFormed()
  if (!fits) throw new Failure('invalid_request', `text of up to ${mostCharacters} characters is expected`)
  return value
}

/** Text on one line that people may read: nothing in it is invisible, or turns its direction. */
export function phrase(given: Given, name: string): string | undefined {
  const value = given[name]
  if (isAbsent(value)) return undefined
  const read = named(name, () => text(value, limits.registeredNameCharacters))
  if (/[\p{Cc}\p{Cf}\u2028\u2029]/u.test(read)) throw new Failure('invalid_request', `${name} is not text on one line`)
  return read
}

const host =
  /^(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/

export function hostName(given: Given, name: string): string | undefined {
  const value = given[name]
  if (isAbsent(value)) return undefined
  if (typeof value !== 'string' || !host.test(value)) throw new Failure('invalid_request', `${name} is not a host name`)
  return value
}

export function choice<const Choice extends string>(
  given: Given,
  name: string,
  choices: readonly Choice[],
): Choice | undefined {
  const value = given[name]
  if (isAbsent(value)) return undefined
  const chosen = choices.find((each) => each === value)
  if (chosen === undefined) throw new Failure('invalid_request', `${name} is one of ${choices.join(', ')}`)
  return chosen
}

/** False where it is absent. */
export function flag(given: Given, name: string): boolean {
  const value = given[name]
  if (isAbsent(value)) return false
  if (typeof value !== 'boolean') throw new Failure('invalid_request', `${name} is true or false`)
  return value
}

export function list<Item>(given: Given, name: string, item: (value: unknown) => Item): Item[] | undefined {
  const value = given[name]
  if (isAbsent(value)) return undefined
  if (!Array.isArray(value) || value.length > limits.registeredItems) {
    throw new Failure('invalid_request', `${name} is a list of up to ${limits.registeredItems}`)
  }
  return value.map((each: unknown) => named(name, () => item(each)))
}

/** Says in which member it is that something is wrong. */
export function named<T>(name: string, read: () => T): T {
  try {
    return read()
  } catch (thrown) {
    throw thrown instanceof Failure ? new Failure(thrown.code, `${name}: ${thrown.message}`, { cause: thrown }) : thrown
  }
}
