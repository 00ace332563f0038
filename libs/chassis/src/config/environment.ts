import { limits } from './limits.ts'
import { nearest } from './nearest.ts'
import type { Place, Places } from './places.ts'
import { meant, type Path } from './problem.ts'
import { childOf, isList, isMap, isText, mayBeList, paths, type SchemaNode } from './schema-tree.ts'
import { readYaml, type Flaw } from './yaml.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** Names the config file. */
export const fileVariable = 'COUNTERSIGN_CONFIG'
/** Read by commands, and no settings: a shell that has them may still start a server. */
const notSettings = new Set([fileVariable, 'COUNTERSIGN_TOKEN', 'COUNTERSIGN_CLIENT_ID', 'COUNTERSIGN_CLIENT_SECRET'])

const prefix = 'COUNTERSIGN_'

/** The variable that sets a key: `COUNTERSIGN_STORE__URL` for `store.url`. */
export const variableOf = (path: Path): string => prefix + path.join('__').toUpperCase()

const authenticationVariable = variableOf(['authentication'])

// Kubernetes makes such variables for every Service whose name begins with ours.
const fromService = (name: string, value: string): boolean =>
  /_SERVICE_(HOST|PORT(_\w+)?)$/.test(name) ||
  (/_PORT(_\d+_\w+)?$/.test(name) && /^(tcp|udp|sctp):/.test(value)) ||
  /_PORT_\d+_(TCP|UDP|SCTP)_(PROTO|PORT|ADDR)$/.test(name)

/** Puts what the environment says into `root`, over what the file says; outer keys first, so that inner ones win. */
export function overlay(root: Record<string, unknown>, env: Environment, schema: SchemaNode, places: Places): Flaw[] {
  const flaws: Flaw[] = []
  const unknown: { name: string; place: Place }[] = []
  const given = Object.keys(env).filter((name) => name.startsWith(prefix) && !notSettings.has(name))
  for (const [index, name] of given.sort().entries()) {
    const text = env[name]
    if (text === undefined || fromService(name, text)) continue
    const place = { where: name, order: limits.fileBytes + index }
    const target = find(name, schema)
    if (target === undefined) unknown.push({ name, place })
    else if (text.trim() === '') flaws.push({ place, path: pathOf(target), message: 'is set but empty' })
    else flaws.push(...put(root, target, text, place, places))
    // Whoever sets one variable of a process would let everybody in.
    if (name === authenticationVariable && root.authentication === 'off') {
      flaws.push({
        place,
        path: ['authentication'],
        message: 'off has to stand in the file; a variable may only say on',
      })
    }
  }
  const read = variablesIn(root)
  const names = [...paths(schema).map(variableOf), fileVariable].map(withoutPrefix)
  for (const { name, place } of unknown) {
    if (read.has(name)) continue
    const near = nearest(withoutPrefix(name), names)
    flaws.push({ place, path: [], message: `is not a setting${meant(near && prefix + near)}` })
  }
  return flaws
}

const withoutPrefix = (name: string): string => name.slice(prefix.length)

/** What a variable sets: the segments of its key, each with what may stand there. */
type Target = readonly { readonly segment: string | number; readonly node: SchemaNode }[]

function find(name: string, schema: SchemaNode): Target | undefined {
  const target: { segment: string | number; node: SchemaNode }[] = []
  let holder = schema
  for (const part of withoutPrefix(name).split('__')) {
    if (part !== part.toUpperCase()) return undefined
    const segment = isList(holder) && /^\d{1,5}$/.test(part) ? Number(part) : part.toLowerCase()
    const node = childOf(holder, segment)
    if (node === undefined) return undefined
    target.push({ segment, node })
    holder = node
  }
  return target
}

const pathOf = (target: Target): Path => target.map(({ segment }) => segment)

function put(root: Record<string, unknown>, target: Target, text: string, place: Place, places: Places): Flaw[] {
  const path = pathOf(target)
  let holder = root as Record<string | number, unknown>
  for (const [index, { segment, node }] of target.entries()) {
    if (Array.isArray(holder) && Number(segment) > holder.length) {
      return [{ place, path, message: `the list has ${holder.length} entries, so the next is ${holder.length}` }]
    }
    if (index === target.length - 1) break
    // A reference to a secret takes the place of the secret, or of another reference.
    if (node.writeOnly) holder[segment] = undefined
    const below = (holder[segment] ??= isList(node) ? [] : Object.create(null))
    // Where the file has something else than a map or list, that is the mistake to report.
    if (typeof below !== 'object') return []
    holder = below as typeof holder
  }
  places.replace(path, place)
  const { node, segment } = target.at(-1)!
  const { value, flaws } = read(text, node, path, place, places)
  if (value !== undefined) holder[segment] = value
  return flaws
}

/** Text is taken as it stands unless it is quoted, so that ` #` and `: ` in a password mean nothing; the rest is YAML. */
function read(text: string, node: SchemaNode, path: Path, place: Place, places: Places) {
  const yaml =
    !isText(node) ||
    /^["']/.test(text) ||
    (isMap(node) && /^\{\s*(env|file)\s*:/.test(text)) ||
    (mayBeList(node) && text.trimStart().startsWith('['))
  if (yaml) return readYaml(text, path, places, () => place)
  places.set(path, place)
  return { value: node.writeOnly ? text : text.trim(), flaws: [] }
}

/** Names of the variables that secrets are read from. */
function variablesIn(value: unknown, found = new Set<string>()): Set<string> {
  if (typeof value !== 'object' || value === null) return found
  const { env } = value as { env?: unknown }
  if (typeof env === 'string') found.add(env)
  for (const child of Object.values(value)) variablesIn(child, found)
  return found
}
