import { readFileSync } from 'node:fs'
import { afterAll, describe, expect, test } from '@jest/globals'
import { ConfigFolder } from './config-folder.ts'
import { renderReference } from './reference.ts'
import { configSchema } from './schema.ts'
import type { SchemaNode } from './schema-tree.ts'

const docs = (name: string): string => readFileSync(new URL(`../../../../docs/${name}`, import.meta.url), 'utf8')
const schema = configSchema()
const folder = new ConfigFolder()
afterAll(() => folder.remove())

describe('docs/reference is current (node libs/chassis/src/config/generate.ts writes it)', () => {
  test('the JSON Schema', () => {
    expect(JSON.parse(docs('reference/countersign.schema.json'))).toEqual(schema)
  })

  test('the table of keys', () => {
    expect(docs('reference/configuration.md')).toBe(renderReference(schema))
  })
})

test('every key says what it is for and what it takes', () => {
  const silent: string[] = []
  const visit = (node: SchemaNode, key: string): void => {
    for (const alternative of node.oneOf ?? [node]) {
      for (const [name, child] of Object.entries(alternative.properties ?? {})) {
        if (!child.description) silent.push(`${key}.${name}`)
        if (!child.properties && !child.items && !child.title) silent.push(`${key}.${name} (value)`)
        if (!child.writeOnly) visit(child, `${key}.${name}`)
      }
    }
    if (node.items) visit(node.items, `${key}[]`)
  }
  visit(schema, '')
  expect(silent).toEqual([])
})

test('every key that takes a value has a line', () => {
  const lines = [...renderReference(schema).matchAll(/^\| `([^`]+)`/gm)].map((match) => match[1]!.split('.').at(-1))
  const missing: string[] = []
  const visit = (node: SchemaNode): void => {
    for (const [name, child] of (node.oneOf ?? [node]).flatMap(({ properties = {} }) => Object.entries(properties))) {
      const parts = child.writeOnly ? [] : [child, child.items].filter((part) => part?.properties ?? part?.oneOf)
      if (parts.length === 0 && name !== 'kind' && !lines.includes(name)) missing.push(name)
      for (const part of parts) visit(part!)
    }
  }
  visit(schema)
  expect(missing).toEqual([])
})

test('the keys are those of the design and ours', () => {
  expect(Object.keys(schema.properties ?? {})).toEqual([
    'version',
    'issuer',
    'master_key',
    'previous_master_key',
    'store',
    'bus',
    'audit',
    'listen',
    'services',
    'trusted_proxies',
    'session',
    'lifetimes',
    'keys',
    'authorization',
    'max_staleness',
    'cache',
    'providers',
    'roles',
    'directories',
    'passwords',
    'mail',
    'pages',
    'resources',
    'clients',
    'registration',
    'bridges',
    'forward_auth',
    'authentication',
    'allow_plaintext',
    'log',
    'grpc',
    'http',
    'throttle',
  ])
})

describe('the guide', () => {
  const guide = docs('configuration.md')
  const files = [...guide.matchAll(/```yaml\n(version: 1\n[\s\S]*?)```/g)].map((match) => match[1]!)

  test.each(files)('has an example that loads: %#', (given) => {
    const yaml = given.replaceAll('/run/secrets/', 'run/')
    for (const [, name] of yaml.matchAll(/(?:file|ca|cert|key|refused): ([\w./-]+)/g))
      folder.write(name!, 'x'.repeat(40))
    for (const [, name] of yaml.matchAll(/logo: ([\w./-]+)/g)) folder.write(name!, '<svg></svg>')
    const env = Object.fromEntries([...yaml.matchAll(/env: (\w+)/g)].map(([, name]) => [name!, 'x'.repeat(40)]))
    expect(folder.problems(yaml, env)).toEqual([])
  })

  test('has more than one example, and shows errors as they are', () => {
    expect(files.length).toBeGreaterThan(1)
    const [, yaml, shown] = /```yaml\n# wrong\n([\s\S]*?)```[\s\S]*?```text\n([\s\S]*?)```/.exec(guide)!
    expect(`${folder.problems(`# wrong\n${yaml}`, { COUNTERSIGN_STORE_URL: 'sqlite:x.db' }).join('\n')}\n`).toBe(shown)
  })
})
