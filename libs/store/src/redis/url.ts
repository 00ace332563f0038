export interface RedisAddress {
  topology: 'standalone' | 'sentinel' | 'cluster'
  tls: boolean
  /** Of the server, the sentinels, or some nodes of the cluster. */
  nodes: { host: string; port: number }[]
  username: string | undefined
  password: string | undefined
  sentinelUsername: string | undefined
  sentinelPassword: string | undefined
  /** The name by which sentinels know the primary. */
  primaryName: string | undefined
  database: number
}

const syntax = /^(redis|rediss)(?:\+(sentinel|cluster))?:\/\/(?:([^/?#]*)@)?([^/?#@]+)(?:\/([^?#]*))?(?:\?([^#]*))?$/
const nodeSyntax = /^(\[[0-9a-fA-F:.]+\]|[^:[\]\s]+)(?::(\d{1,5}))?$/

/**
 * Reads `redis://[user:password@]host[:port][/database]`, `redis+sentinel://host:port,…/NAME[/database]` (with
 * `?sentinel_username=…&sentinel_password=…` when the sentinels ask for them) or `redis+cluster://host:port,…`; with
 * `rediss` over TLS. Names and passwords are percent-encoded.
 * @throws Error that shows what was expected, and nothing of the address.
 */
export function parseRedisUrl(url: string): RedisAddress {
  const match = syntax.exec(url)
  if (!match) throw malformed()
  const [, scheme, kind, credentials, hosts, path = '', query] = match
  const topology = kind === 'sentinel' || kind === 'cluster' ? kind : 'standalone'
  const parameters = new URLSearchParams(query)
  const nodes = hosts!.split(',').map((node) => parseNode(node, topology === 'sentinel' ? 26_379 : 6_379))
  if (topology === 'standalone' && nodes.length > 1) throw malformed()
  return {
    topology,
    tls: scheme === 'rediss',
    nodes,
    ...parseCredentials(credentials),
    sentinelUsername: parameters.get('sentinel_username') ?? undefined,
    sentinelPassword: parameters.get('sentinel_password') ?? undefined,
    ...parsePath(topology, path),
  }
}

const malformed = (): Error =>
  new Error(
    'the URL of the store must be redis://[user:password@]host[:port][/database], ' +
      'redis+sentinel://host:port,…/NAME[/database] or redis+cluster://host:port,… (rediss for TLS)',
  )

function parseNode(node: string, defaultPort: number): { host: string; port: number } {
  const match = nodeSyntax.exec(node)
  const port = Number(match?.[2] ?? defaultPort)
  if (!match || port < 1 || port > 65_535) throw malformed()
  return { host: match[1]!.replace(/^\[|\]$/g, ''), port }
}

function parseCredentials(credentials: string | undefined): Pick<RedisAddress, 'username' | 'password'> {
  if (!credentials) return { username: undefined, password: undefined }
  const colon = credentials.indexOf(':')
  const name = colon === -1 ? credentials : credentials.slice(0, colon)
  try {
    const password = colon === -1 ? undefined : decodeURIComponent(credentials.slice(colon + 1))
    return { username: name === '' ? undefined : decodeURIComponent(name), password }
  } catch {
    throw malformed()
  }
}

function parsePath(topology: RedisAddress['topology'], path: string): Pick<RedisAddress, 'primaryName' | 'database'> {
  const parts = path === '' ? [] : path.split('/')
  const primaryName = topology === 'sentinel' ? parts.shift() : undefined
  const [database = '0', ...rest] = parts
  const isWrong = rest.length > 0 || !/^\d{1,4}$/.test(database) || (topology === 'cluster' && path !== '')
  if (isWrong || (topology === 'sentinel' && !primaryName)) throw malformed()
  return { primaryName, database: Number(database) }
}
