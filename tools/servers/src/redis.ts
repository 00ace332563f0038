import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findProgram, freePort, ServerProcess, temporaryFolder } from './process.ts'

export interface RedisOptions {
  /** Default `always`, as in production; `no` switches the append-only file off. */
  appendfsync?: 'always' | 'everysec' | 'no'
  maxmemory?: string
  maxmemoryPolicy?: string
  /** More lines for redis.conf. */
  config?: string[]
  port?: number
}

export interface RedisServer extends ServerProcess {
  url: string
}

export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const { appendfsync = 'always', maxmemoryPolicy = 'noeviction', maxmemory = '0', config = [] } = options
  const port = options.port ?? (await freePort())
  const folder = temporaryFolder('redis')
  const lines = [
    'bind 127.0.0.1',
    `port ${port}`,
    `dir ${folder}`,
    'save ""',
    `appendonly ${appendfsync === 'no' ? 'no' : 'yes'}`,
    `appendfsync ${appendfsync === 'no' ? 'everysec' : appendfsync}`,
    `maxmemory ${maxmemory}`,
    `maxmemory-policy ${maxmemoryPolicy}`,
    'shutdown-timeout 0',
    ...config,
  ]
  writeFileSync(join(folder, 'redis.conf'), lines.join('\n') + '\n')
  const ready = async () => redisCli(port, 'PING').includes('PONG')
  const program = findProgram('redis-server', 'redis-server')
  const server = new ServerProcess({ program, args: [join(folder, 'redis.conf')], port, folder, ready })
  await server.start()
  return Object.assign(server, { url: `redis://127.0.0.1:${port}` })
}

/** Runs redis-cli against a local port and gives what it printed. */
export function redisCli(port: number, ...args: string[]): string {
  const result = spawnSync(findProgram('redis-cli', 'redis-tools'), ['-p', String(port), ...args], { encoding: 'utf8' })
  return `${result.stdout}${result.stderr}`
}

export interface RedisCluster {
  /** `redis+cluster://host:port,host:port,…` */
  url: string
  nodes: RedisServer[]
  stop(): Promise<void>
}

/** Three primaries without replicas. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const config = ['cluster-enabled yes', 'cluster-node-timeout 2000', 'cluster-require-full-coverage no']
  const nodes: RedisServer[] = []
  // The cluster bus port is given too: by default it would be port + 10000, which may not exist.
  for (let n = 0; n < 3; n++) nodes.push(await startRedis({ config: [...config, `cluster-port ${await freePort()}`] }))
  const addresses = nodes.map((node) => `127.0.0.1:${node.port}`)
  const created = redisCli(nodes[0]!.port, '--cluster', 'create', ...addresses, '--cluster-yes')
  if (!created.includes('All 16384 slots covered')) throw new Error(`redis-cli --cluster create failed:\n${created}`)
  const stop = async () => void (await Promise.all(nodes.map((node) => node.stop())))
  return { url: `redis+cluster://${addresses.join(',')}`, nodes, stop }
}

export interface RedisSentinel {
  /** `redis+sentinel://host:port,…/countersign` */
  url: string
  primary: RedisServer
  replica: RedisServer
  sentinels: ServerProcess[]
  stop(): Promise<void>
}

/** A primary, a replica and three sentinels that fail over after a second. */
export async function startRedisSentinel(): Promise<RedisSentinel> {
  const primary = await startRedis()
  const replica = await startRedis({ config: [`replicaof 127.0.0.1 ${primary.port}`] })
  const sentinels: ServerProcess[] = []
  for (let n = 0; n < 3; n++) sentinels.push(await startOneSentinel(primary.port))
  const addresses = sentinels.map((sentinel) => `127.0.0.1:${sentinel.port}`)
  const all = [...sentinels, primary, replica]
  const stop = async () => void (await Promise.all(all.map((server) => server.stop())))
  return { url: `redis+sentinel://${addresses.join(',')}/countersign`, primary, replica, sentinels, stop }
}

async function startOneSentinel(primaryPort: number): Promise<ServerProcess> {
  const port = await freePort()
  const folder = temporaryFolder('sentinel')
  const lines = [
    'bind 127.0.0.1',
    `port ${port}`,
    `dir ${folder}`,
    `sentinel monitor countersign 127.0.0.1 ${primaryPort} 2`,
    'sentinel down-after-milliseconds countersign 1000',
    'sentinel failover-timeout countersign 3000',
  ]
  writeFileSync(join(folder, 'sentinel.conf'), lines.join('\n') + '\n')
  const program = findProgram('redis-server', 'redis-server')
  return new ServerProcess({ program, args: [join(folder, 'sentinel.conf'), '--sentinel'], port, folder }).start()
}
