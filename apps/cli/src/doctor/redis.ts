import type { ConnectionOptions as TlsOptions } from 'node:tls'
import { Redis, type RedisOptions } from 'ioredis'

export interface RedisNode {
  /** `host:port`, as it was named. */
  readonly address: string
  /** Of INFO. */
  readonly info: ReadonlyMap<string, string>
  /** Milliseconds since the Unix epoch, by its clock. */
  timeMs(): Promise<number>
}

interface RedisAccess {
  readonly url: string
  readonly tls: TlsOptions | undefined
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/** Visits the server, the primary that the sentinels name, or every node of a cluster that the URL names. */
export async function visitRedis<T>(access: RedisAccess, visit: (node: RedisNode) => Promise<T>): Promise<T[]> {
  return Promise.all(
    clientsOf(access).map(async ({ address, client }) => {
      const cut = () => client.disconnect()
      access.signal.addEventListener('abort', cut, { once: true })
      let reason: unknown
      client.on('error', (error) => (reason = error))
      try {
        await client.connect()
        const info = readInfo(await client.info())
        const timeMs = async () => {
          const [seconds = 0, microseconds = 0] = await client.time()
          return seconds * 1_000 + microseconds / 1_000
        }
        return await visit({ address, info, timeMs })
      } catch (thrown) {
        // ioredis tells whoever waits only that the connection is closed.
        throw reason ?? thrown
      } finally {
        access.signal.removeEventListener('abort', cut)
        client.disconnect()
      }
    }),
  )
}

function readInfo(info: string): Map<string, string> {
  const lines = info.split('\r\n').filter((line) => line.includes(':'))
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]))
}

const form = /^redis(s?)(?:\+(sentinel|cluster))?:\/\/([^/?#]*@)?([^/?#@]+)(?:\/([^?#]*))?(?:\?([^#]*))?$/

function clientsOf({ url, tls, timeoutMs }: RedisAccess): { address: string; client: Redis }[] {
  const [, secure = '', topology, credentials = '', hosts = '', path = '', query] = form.exec(url) ?? []
  const encryption = secure === '' ? {} : { tls: tls ?? {} }
  const common: RedisOptions = {
    ...encryption,
    lazyConnect: true,
    connectTimeout: timeoutMs,
    commandTimeout: timeoutMs,
    retryStrategy: null,
    connectionName: 'countersign-doctor',
  }
  const addressed = (host: string, database = '') => `redis${secure}://${credentials}${host}/${database}`
  const names = hosts.split(',')
  if (topology !== 'sentinel') {
    return names.map((address) => ({ address, client: new Redis(addressed(address, path), common) }))
  }
  const [name = '', database] = path.split('/')
  const parameters = new URLSearchParams(query)
  const sentinels = names.map((host) => {
    const { hostname, port } = new URL(`redis://${host}`)
    return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 26_379) }
  })
  const client = new Redis(addressed(names[0]!, database), {
    ...common,
    sentinels,
    name,
    sentinelRetryStrategy: () => null,
    ...optional('sentinelUsername', parameters.get('sentinel_username')),
    ...optional('sentinelPassword', parameters.get('sentinel_password')),
    ...(secure !== '' && { enableTLSForSentinelMode: true, sentinelTLS: tls ?? {} }),
  })
  return [{ address: `of the sentinels’ ${name}`, client }]
}

const optional = (name: 'sentinelUsername' | 'sentinelPassword', value: string | null): RedisOptions =>
  value === null ? {} : { [name]: value }
