import { variableOf } from './environment.ts'
import { reloadableKeys } from './reload.ts'
import { isList, isMap, type SchemaNode } from './schema-tree.ts'

interface Row {
  readonly key: string
  readonly node: SchemaNode
  readonly required: boolean
}

const heading = `# Configuration reference

Made from the definition that the configuration is checked with; [countersign.schema.json](countersign.schema.json) is made
from it as well. How files, environment and secrets work together is in [the guide](../configuration.md).

A key is also an environment variable: \`${variableOf(['store', 'url'])}\` sets \`store.url\`. ↻ marks what a running process takes
over when it is told to reload; the rest needs a restart.
`

/** Every key with its values, default and meaning, as Markdown. */
export function renderReference(schema: SchemaNode): string {
  const top = rowsOf(schema, '')
  const single = top.filter(({ node }) => !hasParts(node))
  const sections = top.filter(({ node }) => hasParts(node))
  const parts = sections.map(({ key, node }) => {
    const rows = isList(node) ? rowsBelow(node.items!, `${key}[]`) : rowsBelow(node, key)
    return `## ${key}\n\n${node.description}\n\n${table(rows)}\n`
  })
  return [heading, `## Top level\n\n${table(single)}\n`, ...parts].join('\n')
}

const hasParts = (node: SchemaNode): boolean => !node.writeOnly && (node.properties !== undefined || hasMaps(node))
const hasMaps = ({ items }: SchemaNode): boolean => items !== undefined && !items.writeOnly && isMap(items)

function rowsOf({ properties = {}, required = [] }: SchemaNode, prefix: string): Row[] {
  return Object.entries(properties).map(([name, node]) => ({
    key: prefix + name,
    node,
    required: required.includes(name),
  }))
}

/** The rows of a map and of the maps in it; of one that comes in kinds, those of each kind. */
function rowsBelow(node: SchemaNode, key: string): Row[] {
  if (node.oneOf !== undefined) {
    return node.oneOf.flatMap((kind) => {
      const { kind: name, ...properties } = kind.properties ?? {}
      const marked = `${key.slice(0, -1)}kind: ${name?.const}]`
      return [{ key: marked, node: name!, required: true }, ...rowsBelow({ ...kind, properties }, marked)]
    })
  }
  return rowsOf(node, `${key}.`).flatMap((row) => {
    if (!hasParts(row.node)) return [row]
    return hasMaps(row.node) ? rowsBelow(row.node.items!, `${row.key}[]`) : rowsBelow(row.node, row.key)
  })
}

function table(rows: readonly Row[]): string {
  const cells = rows.map(({ key, node, required }) => [
    `\`${key}\`${reloads(key) ? ' ↻' : ''}`,
    node.items === undefined ? words(node) : `a list, each ${words(node.items)}`,
    required ? 'required' : defaultOf(node),
    node.description ?? '',
  ])
  const all = [['Key', 'Value', 'Default', 'Meaning'], ...cells].map((row) =>
    row.map((cell) => cell.replaceAll('|', '\\|')),
  )
  const widths = all[0]!.map((_, column) => Math.max(...all.map((row) => row[column]!.length)))
  const lines = all.map((row) => `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`)
  return [lines[0], `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...lines.slice(1)].join('\n')
}

const reloads = (key: string): boolean =>
  reloadableKeys.some((known) => key === known || (key.startsWith(known) && /^[.[]/.test(key.slice(known.length))))

const words = (node: SchemaNode): string => node.title ?? node.type ?? ''

function defaultOf(node: SchemaNode): string {
  if (node.default === undefined) return ''
  return `\`${typeof node.default === 'string' ? node.default : JSON.stringify(node.default)}\``
}
