import { Secret, writeHostPort, type Config, type ListenAddress } from '@countersign/chassis/config'
import { scrub } from '@countersign/chassis/log'

type Setting = readonly [key: string, value: string | number | boolean]

/** What the configuration comes to, by the keys of the file and as one would write it there; secrets are not shown. */
export function inEffect(config: Config): Setting[] {
  const keys = Object.entries(config).filter(([key]) => key !== 'demo')
  return settingsIn(Object.fromEntries(keys), '')
}

function settingsIn(value: unknown, key: string): Setting[] {
  if (value === undefined) return []
  if (value instanceof Secret) return [[key, value.toString()]]
  if (Array.isArray(value)) {
    const isPlain = value.every((item) => typeof item !== 'object')
    if (isPlain) return value.length === 0 ? [] : [[key, value.map((item) => scrub(String(item))).join(' ')]]
    return value.flatMap((item, index) => settingsIn(item, `${key}[${index}]`))
  }
  if (typeof value === 'object' && value !== null) {
    if (isListenAddress(value)) return [[key, writeHostPort(value)]]
    return Object.entries(value).flatMap(([name, child]) => named(name, child, key === '' ? '' : `${key}.`))
  }
  return [[key, typeof value === 'string' ? scrub(value) : (value as number | boolean)]]
}

/** What is called otherwise in the file. */
const renamed: Readonly<Record<string, string>> = {
  authenticationMethod: 'auth_method',
  idTokenAlgorithm: 'id_token_alg',
}

/** Maps whose names are their own: scopes, and members of keys. */
const verbatim = /(^|\.)(jwks|scopes)(\.|\[|$)/

/** `accessTokenMs: 300000` is `access_token: 5m` in the file. */
function named(name: string, value: unknown, prefix: string): Setting[] {
  if (verbatim.test(prefix)) return settingsIn(value, prefix + name)
  if (name === 'pairwiseSector') {
    const sector = { subjectType: value === undefined ? 'public' : 'pairwise', sectorIdentifier: value }
    return Object.entries(sector).flatMap(([key, each]) => named(key, each, prefix))
  }
  const inFile =
    renamed[name] ?? name.replace(/(Ms|Events)$/, '').replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
  const isDuration = name.endsWith('Ms') && typeof value === 'number'
  return settingsIn(isDuration ? writeDuration(value) : value, prefix + inFile)
}

const isListenAddress = (value: object): value is ListenAddress =>
  'host' in value && 'port' in value && typeof value.port === 'number'

const unitsMs = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 }

function writeDuration(durationMs: number): string {
  const fits = ([, unitMs]: [string, number]) => durationMs >= unitMs && durationMs % unitMs === 0
  const [unit, unitMs] = Object.entries(unitsMs).find(fits) ?? ['s', 1]
  return `${durationMs / unitMs}${unit}`
}
