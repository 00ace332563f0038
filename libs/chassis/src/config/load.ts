import { readFileSync, statSync } from 'node:fs'
import { dirname, isAbsolute, relative, resolve } from 'node:path'
import type { z } from 'zod'
import { isLoopback } from './address.ts'
import { checkCoherence } from './coherence.ts'
import { unreadable } from './credential.ts'
import { fileVariable, overlay, type Environment } from './environment.ts'
import { explain } from './explain.ts'
import { limits } from './limits.ts'
import { Places } from './places.ts'
import { ConfigError, keyOf, type Problem } from './problem.ts'
import type { Raw } from './raw.ts'
import { checkReferences, openSubjects, unknownScopes, type Report } from './references.ts'
import { asJsonSchema, schemaIn } from './schema.ts'
import { Secret } from './secret.ts'
import { checkTransport } from './transport.ts'
import { readYaml, type Flaw } from './yaml.ts'

type Leaf = Secret | string | number | boolean | undefined
type DeepReadonly<T> = T extends Leaf
  ? T
  : T extends readonly (infer Item)[]
    ? readonly DeepReadonly<Item>[]
    : { readonly [Key in keyof T]: DeepReadonly<T[Key]> }

type Configured = z.output<ReturnType<typeof schemaIn>>

/** The configuration: frozen, durations in milliseconds, paths absolute, secrets wrapped. */
export type Config = DeepReadonly<
  Configured & {
    /** Nothing was configured that others could depend on: the app may make a resource and clients to try it with. */
    demo: boolean
  }
>

export interface ConfigSource {
  /** The config file, relative to `cwd`; otherwise the environment's COUNTERSIGN_CONFIG names it. */
  readonly file?: string | undefined
  readonly env: Environment
  /** Absolute. */
  readonly cwd: string
}

export interface LoadedConfig {
  readonly config: Config
  /** The absolute path of the config file; undefined without one. */
  readonly file: string | undefined
  /** What is odd, but no reason not to start. */
  readonly warnings: readonly string[]
}

interface Given {
  readonly root: Record<string, unknown>
  readonly places: Places
  readonly flaws: readonly Flaw[]
}

/**
 * Reads the configuration from the file, if there is one, and the environment.
 * @throws ConfigError that names every mistake
 */
export function loadConfig({ file: named, env, cwd }: ConfigSource): LoadedConfig {
  const file = fileOf(named, env, cwd)
  const given = file === undefined ? withoutFile() : readFile(file, cwd)
  const definition = schemaIn({ folder: file === undefined ? cwd : dirname(file), env })
  const schema = asJsonSchema(definition)
  const flaws = [...given.flaws, ...overlay(given.root, env, schema, given.places)]
  const parsed = definition.safeParse(given.root)
  if (!parsed.success) flaws.push(...explain(parsed.error.issues, { ...given, schema }))
  const report: Report = (path, message) => flaws.push({ place: given.places.of(path), path, message })
  for (const check of [checkReferences, checkTransport, checkCoherence]) check(given.root, report)
  if (!parsed.success || flaws.length > 0) throw new ConfigError(problemsOf(flaws))
  const config = freeze({ ...parsed.data, demo: file === undefined && isDemo(given.root, parsed.data) })
  return { config, file, warnings: warningsOf(given.root, config) }
}

function fileOf(named: string | undefined, env: Environment, cwd: string): string | undefined {
  const name = named ?? env[fileVariable]
  if (name === '')
    throw new ConfigError([{ where: named === '' ? '--config' : fileVariable, key: '', message: 'is set but empty' }])
  return name === undefined ? undefined : resolve(cwd, name)
}

const withoutFile = (): Given => ({
  root: { version: 1 },
  places: new Places({ where: 'countersign.yaml', order: 0 }),
  flaws: [],
})

function readFile(file: string, cwd: string): Given {
  const beside = relative(cwd, file)
  const name = beside === '' || beside.startsWith('..') || isAbsolute(beside) ? file : beside
  const stop = (message: string) => new ConfigError([{ where: name, key: '', message }])
  let text: string
  try {
    if (statSync(file).size > limits.fileBytes) throw stop(`is longer than ${limits.fileBytes} bytes`)
    text = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file))
  } catch (thrown) {
    throw thrown instanceof ConfigError ? thrown : stop(unreadable(thrown))
  }
  const places = new Places({ where: `${name}:1:1`, order: 0 })
  const { value, flaws } = readYaml(text, [], places, ({ offset, line, column }) => ({
    where: `${name}:${line}:${column}`,
    order: offset,
  }))
  if (value === undefined) throw new ConfigError(problemsOf(flaws))
  if (typeof value === 'object' && !Array.isArray(value)) return { root: (value ?? {}) as Given['root'], places, flaws }
  throw stop(`expected a map of keys, got ${Array.isArray(value) ? 'a list' : 'a lone value'}`)
}

/** In the order of the file, then the environment; of several at one key and place, the first. */
function problemsOf(flaws: readonly Flaw[]): Problem[] {
  const seen = new Set<string>()
  const problems: Problem[] = []
  for (const { place, path, message } of flaws.toSorted((a, b) => a.place.order - b.place.order)) {
    const key = keyOf(path)
    if (key !== '' && seen.has(`${place.where} ${key}`)) continue
    seen.add(`${place.where} ${key}`)
    problems.push({ where: place.where, key, message })
  }
  return problems
}

/** Nobody but this machine reaches it, and nothing says who may use it. */
const isDemo = (root: Raw, { listen }: Configured): boolean =>
  root.resources === undefined &&
  root.clients === undefined &&
  Object.values(listen).every(({ host }) => isLoopback(host))

function warningsOf(root: Raw, config: Config): string[] {
  const { listen } = config
  const warnings: string[] = []
  if (config.authentication === 'off') {
    warnings.push('authentication: off — forward-auth lets everything through as anonymous')
  }
  if (root.bridges !== undefined) warnings.push('bridges: accepted, not served by this version')
  if (root.issuer === undefined && !isLoopback(listen.http.host)) {
    warnings.push('issuer: not set, so tokens and metadata name http://localhost:8080')
  }
  return [...warnings, ...unknownScopes(root), ...openSubjects(root)]
}

function freeze<T>(value: T): DeepReadonly<T> {
  if (typeof value === 'object' && value !== null && !(value instanceof Secret)) Object.values(value).forEach(freeze)
  return Object.freeze(value) as DeepReadonly<T>
}
