import { isDeepStrictEqual } from 'node:util'
import type { Config } from './load.ts'
import { Secret } from './secret.ts'

/** Keys that a running process takes over when the configuration is read again; the others need a restart. */
export const reloadableKeys: readonly string[] = [
  'clients',
  'resources',
  'lifetimes.access_token',
  'lifetimes.refresh_token',
  'log.level',
  'registration',
]

export interface Reload {
  /** Changed keys that can be taken over. */
  readonly applied: readonly string[]
  /** Changed keys that need a restart. */
  readonly restart: readonly string[]
}

/** What changed between two configurations, by the keys of the file: `clients`, `store.url`, … */
export function reloadable(before: Config, after: Config): Reload {
  const changed = changes(before, after).filter((key) => key !== 'demo')
  const coarse = changed.map((key) => reloadableKeys.find((known) => key.startsWith(`${known}.`)) ?? key)
  const keys = [...new Set(coarse)]
  return {
    applied: keys.filter((key) => reloadableKeys.includes(key)),
    restart: keys.filter((key) => !reloadableKeys.includes(key)),
  }
}

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Secret)

/** The keys that differ, two levels deep. */
function changes(before: unknown, after: unknown, above: readonly string[] = []): string[] {
  if (above.length < 2 && isMap(before) && isMap(after)) {
    const names = new Set([...Object.keys(before), ...Object.keys(after)])
    return [...names].flatMap((name) => changes(before[name], after[name], [...above, nameInFile(name)]))
  }
  return isDeepStrictEqual(reveal(before), reveal(after)) ? [] : [above.join('.')]
}

/** `maxStalenessMs` is `max_staleness` in the file. */
const nameInFile = (name: string): string =>
  name.replace(/(Ms|Events)$/, '').replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** With secrets as their text, so that two can be told apart. */
function reveal(value: unknown): unknown {
  if (value instanceof Secret) return { secret: value.reveal() }
  if (Array.isArray(value)) return value.map(reveal)
  if (!isMap(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, child]) => [name, reveal(child)]))
}
