import type { Path } from './problem.ts'

/** As much of a JSON Schema as ours uses. */
export interface SchemaNode {
  readonly type?: string
  readonly title?: string
  readonly description?: string
  readonly default?: unknown
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  /** Set on what may hold credentials: the forms of URLs. */
  readonly format?: 'uri' | 'service-url'
  /** Set on what is a secret, or could hold one by mistake. */
  readonly writeOnly?: boolean
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly required?: readonly string[]
  readonly additionalProperties?: SchemaNode | false
  readonly items?: SchemaNode
  readonly anyOf?: readonly SchemaNode[]
  readonly oneOf?: readonly SchemaNode[]
}

const alternatives = (node: SchemaNode): readonly SchemaNode[] => node.anyOf ?? node.oneOf ?? [node]

/** The keys that a map may have. */
export const keysOf = (node: SchemaNode): string[] =>
  alternatives(node).flatMap((alternative) => Object.keys(alternative.properties ?? {}))

/** What may stand under `segment`; undefined when nothing may. */
export function childOf(node: SchemaNode, segment: string | number): SchemaNode | undefined {
  for (const { items, properties, additionalProperties } of alternatives(node)) {
    if (typeof segment === 'number' && items !== undefined) return items
    if (typeof segment !== 'string') continue
    if (properties !== undefined && Object.hasOwn(properties, segment)) return properties[segment]
    if (additionalProperties) return additionalProperties
  }
  return undefined
}

/** What may stand at `path`. A secret's parts are secret as well. */
export function nodeAt(root: SchemaNode, path: Path): SchemaNode | undefined {
  let node: SchemaNode | undefined = root
  for (const segment of path) {
    if (node === undefined || node.writeOnly) return node
    node = childOf(node, segment)
  }
  return node
}

export const isText = (node: SchemaNode): boolean => alternatives(node).some(({ type }) => type === 'string')
export const isMap = (node: SchemaNode): boolean => alternatives(node).some(({ type }) => type === 'object')
export const mayBeList = (node: SchemaNode): boolean => alternatives(node).some(isList)
export const isList = (node: SchemaNode): boolean => node.type === 'array'

/** Every key with a name of its own, outside lists: `['store', 'url']`, … */
export function paths(node: SchemaNode, above: readonly string[] = []): string[][] {
  if (node.writeOnly) return []
  return Object.entries(node.properties ?? {}).flatMap(([name, child]) => {
    const path = [...above, name]
    return [path, ...paths(child, path)]
  })
}
