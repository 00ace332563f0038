import type { RedisClient } from './client.ts'

/** One thing that a Redis must be, or be set to, for what it acknowledges to last. */
export interface RedisSetting {
  /** `host:port` */
  node: string
  setting: string
  value: string
  required: string
  ok: boolean
  /** What to run so that it is right. */
  mend: string
}

/** The Redis would lose what it acknowledged, or cannot be asked whether it would. */
export class UnsafeStoreError extends Error {
  override readonly name = 'UnsafeStoreError'
  readonly settings: RedisSetting[]

  constructor(settings: RedisSetting[]) {
    const lines = settings.map(
      ({ node, setting, value, required, mend }) => `  ${node}: ${setting} is ${value}, must be ${required}: ${mend}`,
    )
    super(`this Redis is not safe to keep tokens and revocations in:\n${lines.join('\n')}`)
    this.settings = settings
  }
}

const durability = { appendonly: 'yes', appendfsync: 'always', 'maxmemory-policy': 'noeviction' }
const oldestVersion = 7

/** The settings of every primary, and of the replicas that answer (each may become a primary). */
export async function inspectClient(client: RedisClient): Promise<RedisSetting[]> {
  if (!('nodes' in client)) return inspectNode(client, true)
  const primaries = await Promise.all(client.nodes('master').map((node) => inspectNode(node, true)))
  const replicas = await Promise.allSettled(client.nodes('slave').map((node) => inspectNode(node, false)))
  return [...primaries, ...replicas.map((settled) => (settled.status === 'fulfilled' ? settled.value : []))].flat()
}

type Node = Extract<RedisClient, { stream: unknown }>

async function inspectNode(client: Node, isPrimary: boolean): Promise<RedisSetting[]> {
  const info = parseInfo(await client.info())
  const { remoteAddress, remotePort } = client.stream as { remoteAddress?: string; remotePort?: number }
  const node = `${remoteAddress}:${remotePort}`
  const version = info.get('redis_version') ?? 'unknown'
  const role = info.get('role') ?? 'unknown'
  const isNewEnough = Number.parseInt(version, 10) >= oldestVersion
  const settings: RedisSetting[] = [
    { node, setting: 'redis_version', value: version, required: '7 or newer', ok: isNewEnough, mend: 'upgrade Redis' },
  ]
  if (isPrimary)
    settings.push({
      node,
      setting: 'role',
      value: role,
      required: 'master',
      ok: role === 'master',
      mend: 'give the address of the primary',
    })
  return [...settings, ...(await inspectDurability(client, node))]
}

async function inspectDurability(client: Node, node: string): Promise<RedisSetting[]> {
  const names = Object.keys(durability)
  try {
    const flat = (await client.call('CONFIG', 'GET', ...names)) as string[]
    return Object.entries(durability).map(([setting, required]) => {
      const at = flat.indexOf(setting)
      const value = at === -1 ? 'unknown' : flat[at + 1]!
      const mend = `redis-cli CONFIG SET ${setting} ${required} (and the same in its redis.conf)`
      return { node, setting, value, required, ok: value === required, mend }
    })
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'ReplyError') throw error
    const mend = `let this client ask: redis-cli ACL SETUSER <user> +config|get`
    return [{ node, setting: 'CONFIG GET', value: 'refused', required: 'permitted', ok: false, mend }]
  }
}

function parseInfo(info: string): Map<string, string> {
  const lines = info.split('\r\n').filter((line) => line.includes(':'))
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]))
}

/**
 * Refuses a Redis that would lose what it acknowledged; `allowUnsafe` passes over its durability, for development.
 * @throws UnsafeStoreError that lists each wrong setting and how to mend it.
 */
export async function refuseUnsafe(client: RedisClient, allowUnsafe: boolean): Promise<void> {
  const wrong = (await inspectClient(client)).filter(({ ok }) => !ok)
  const refused = allowUnsafe ? wrong.filter(({ setting }) => setting === 'redis_version') : wrong
  if (refused.length > 0) throw new UnsafeStoreError(refused)
}
