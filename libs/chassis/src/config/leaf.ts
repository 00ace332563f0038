import { z } from 'zod'
import { limits } from './limits.ts'
import { meant } from './problem.ts'

/*
 * Every schema here says in words what it expects: as the title of its JSON Schema, and as the message of its issues, after which
 * the reader puts `, got …`. An issue with `sentence` set is a whole sentence instead.
 */

export type Suggest = (given: unknown) => string | undefined

interface Issues {
  readonly issues: { push(issue: z.core.$ZodRawIssue): unknown }
}

/** Reports a whole sentence. */
export function complain(issues: Issues, input: unknown, sentence: string): never {
  issues.issues.push({ code: 'custom', input, message: sentence, params: { sentence: true } })
  return z.NEVER
}

/** Text that `read` turns into what is meant, or into undefined when it is not what was expected. */
export function text<T>(expected: string, read: (text: string) => T | undefined, suggest: Suggest = () => undefined) {
  const message = (given: unknown) => expected + meant(suggest(given))
  return z
    .string({ error: ({ input }) => message(input) })
    .transform((given, issues): T => {
      const value = read(given)
      if (value !== undefined) return value
      issues.issues.push({ code: 'custom', input: given, message: message(given) })
      return z.NEVER
    })
    .meta({ title: expected })
}

/** Text of a certain form. */
export const matching = (expected: string, pattern: RegExp) =>
  text(
    expected,
    (given) => (pattern.test(given) ? given : undefined),
    (given) => (typeof given === 'number' && pattern.test(String(given)) ? JSON.stringify(String(given)) : undefined),
  ).meta({ pattern: pattern.source })

export const flag = () => z.boolean({ error: 'true or false' }).meta({ title: 'true or false' })

export function choice<const Values extends readonly string[]>(values: Values) {
  const expected = `one of ${values.join(', ')}`
  return z.enum(values, { error: expected }).meta({ title: expected })
}

export function whole(least: number, most: number) {
  const error = `a whole number from ${least} to ${most}`
  return z.int({ error }).min(least, { error }).max(most, { error }).meta({ title: error })
}

export const map = <Shape extends z.ZodRawShape>(shape: Shape) => z.strictObject(shape, { error: 'a map of keys' })

export const list = <Item extends z.ZodType>(item: Item) => z.array(item, { error: 'a list' })

/** A list of texts, of so many at least. */
export function texts<Item extends z.ZodType>(item: Item, least = 0) {
  const expected = least === 0 ? 'a list' : `a list of ${least} or more`
  const lone = (given: unknown) =>
    typeof given === 'string' && item.safeParse(given).success ? `[${given}]` : undefined
  const array = z.array(item, { error: ({ input }) => `${expected}${meant(lone(input))}` })
  return least === 0 ? array : array.min(least, { error: expected })
}

/** One, or a list of them; a list in the configuration. */
export const oneOrSome = <Item extends z.ZodType<string, string>>(item: Item, expected: string) =>
  z
    .union([item, z.array(item)], { error: expected })
    .transform((given) => [given].flat())
    .meta({ title: expected })

/** A map whose keys are not ours. */
export const mapOf = <Key extends z.ZodType<string, string>, Value extends z.ZodType>(
  key: Key,
  value: Value,
  expected: string,
) => z.record(key, value, { error: expected }).meta({ title: expected })

const id = new RegExp(`^[A-Za-z0-9][A-Za-z0-9._~-]{0,${limits.idCharacters - 1}}$`)

/** An id: safe in a URL, a log line and a metric's label. */
export const identifier = () => matching('an id of letters, digits and . _ ~ -, beginning with a letter or digit', id)

const scope = new RegExp(`^[\\x21\\x23-\\x5b\\x5d-\\x7e]{1,${limits.scopeCharacters}}$`)

/** One scope (RFC 6749 section 3.3). */
export const scopeToken = () =>
  matching('a scope: printable ASCII without space, " and \\ (RFC 6749 section 3.3)', scope)

const line = new RegExp(`^[^\\p{Cc}\\p{Cf}\\u2028\\u2029]{1,${limits.nameCharacters}}$`, 'u')

/** A name or description that people read. */
export const phrase = () => matching('text on one line', line)
