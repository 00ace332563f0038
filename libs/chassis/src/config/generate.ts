// Writes docs/reference from the definition of the configuration: node libs/chassis/src/config/generate.ts
import { mkdirSync, writeFileSync } from 'node:fs'
import { renderReference } from './reference.ts'
import { configSchema } from './schema.ts'

const folder = new URL('../../../../docs/reference/', import.meta.url)
const schema = configSchema()
mkdirSync(folder, { recursive: true })
writeFileSync(new URL('countersign.schema.json', folder), `${JSON.stringify(schema, null, 2)}\n`)
writeFileSync(new URL('configuration.md', folder), renderReference(schema))
