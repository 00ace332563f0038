import type { z } from 'zod'
import { nearest } from './nearest.ts'
import type { Places } from './places.ts'
import { meant, quote, type Path } from './problem.ts'
import { keysOf, nodeAt, paths, type SchemaNode } from './schema-tree.ts'
import type { Flaw } from './yaml.ts'

type Issue = z.core.$ZodIssue

interface Given {
  readonly root: unknown
  readonly schema: SchemaNode
  readonly places: Places
}

/** What the schema found wrong, in words. */
export const explain = (issues: readonly Issue[], given: Given): Flaw[] =>
  issues.flatMap((issue) => flawsOf(issue, given))

function flawsOf(issue: Issue, given: Given): Flaw[] {
  const path = issue.path as Path
  const at = (message: string, part: 'key' | 'value' = 'value') => ({
    place: given.places.of(path, part),
    path,
    message,
  })
  const got = (expected: string) => {
    const [form, suggestion] = expected.split('; did you mean ')
    const tail = suggestion === undefined ? '' : `; did you mean ${suggestion}`
    return at(`expected ${form}, got ${show(valueAt(given.root, path), node)}${tail}`)
  }
  const node = nodeAt(given.schema, path)
  const secret = node?.writeOnly === true
  if (issue.code === 'unrecognized_keys' && !secret) return issue.keys.map((key) => unknownKey([...path, key], given))
  if (issue.code === 'invalid_key')
    return [at(`expected ${issue.issues[0]?.message}, got ${quote(String(path.at(-1)))}`, 'key')]
  if (issue.code === 'custom' && issue.params?.sentence) return [at(issue.message)]
  const choices = issue.code === 'invalid_value' ? issue.values.map(String) : optionsOf(issue)
  if (choices === undefined) return [got(issue.code === 'unrecognized_keys' ? node!.title! : issue.message)]
  const value = valueAt(given.root, path)
  // YAML 1.1, which many tools write, reads on and off as true and false.
  const word = typeof value === 'boolean' ? (value ? 'on' : 'off') : value
  const suggestion = typeof word === 'string' ? nearest(word, choices) : undefined
  return [got(`${choices.length > 1 ? 'one of ' : ''}${choices.join(', ')}${meant(suggestion)}`)]
}

const optionsOf = (issue: Issue): string[] | undefined =>
  issue.code === 'invalid_union' && issue.discriminator !== undefined && 'options' in issue
    ? (issue.options as unknown[]).map(String)
    : undefined

function unknownKey(path: Path, { schema, places }: Given): Flaw {
  const name = String(path.at(-1))
  const here = nodeAt(schema, path.slice(0, -1))
  const keys = here === undefined ? [] : keysOf(here)
  const elsewhere = paths(schema)
    .find((other) => other.at(-1) === name)
    ?.join('.')
  const suggestion = keys.includes(name) ? undefined : (nearest(name, keys) ?? elsewhere)
  return { place: places.of(path, 'key'), path, message: `is not a key${meant(suggestion)}` }
}

function valueAt(root: unknown, path: Path): unknown {
  let value = root
  for (const segment of path) value = (value as Record<string | number, unknown> | undefined)?.[segment]
  return value
}

/** A wrong value as a message may repeat it: never a secret, nor the credentials in a URL. */
function show(value: unknown, node: SchemaNode | undefined): string {
  if (value === undefined || value === null) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a map'
  if (node?.writeOnly) return value === '' ? 'empty text' : `a ${typeof value}`
  if (typeof value !== 'string') return String(value)
  return quote(node?.format ? withoutCredentials(value) : value)
}

// Also where the URL is so wrong that it cannot be taken apart.
const withoutCredentials = (url: string): string =>
  url.replace(/^(\w[\w+.-]*:\/\/)?.*@/s, '$1***@').replace(/\?.+$/s, '?…')
