import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parse } from 'yaml'
import { createLimiters } from '@countersign/chassis'
import { loadConfig } from '@countersign/chassis/config'
import { findProgram, freePort, startRedis, temporaryFolder } from '@countersign/servers'
import { keyOf } from '@countersign/store'
import { openRedisConnection, openStore } from '@countersign/store/open'
import { root } from './testing/image.ts'
import { gatewayConfig, natsConfig, secretsAndConfig, services, startConfiguredRedis } from './testing/stack.ts'

interface ComposeService {
  image: string
  build?: { context: string; dockerfile: string }
  volumes?: string[]
  networks: string[]
  secrets?: string[]
  environment?: Record<string, string>
  depends_on?: Record<string, { condition: string }>
  healthcheck?: { test: string[] }
  ports?: string[]
}
interface Compose {
  services: Record<string, ComposeService>
  networks: Record<string, { internal?: boolean }>
  volumes: Record<string, unknown>
  secrets: Record<string, { file: string }>
}

const read = (file: string): string => readFileSync(join(root, file), 'utf8')
const compose = parse(read('docker-compose.yml'), { merge: true }) as Compose
const configText = read('deploy/countersign.yaml')
const config = parse(configText) as Record<'store' | 'bus' | 'audit', { url: string }> & {
  listen: Record<string, string>
  services: { token_issuer: { target: string } }
}
const dockerfile = read('deploy/Dockerfile')

const share = (one: string, other: string): boolean =>
  compose.services[one]!.networks.some((network) => compose.services[other]!.networks.includes(network))

describe('docker-compose.yml', () => {
  test('names files that exist, and secrets that make-secrets.sh makes', () => {
    for (const { build, volumes = [] } of Object.values(compose.services)) {
      if (build) expect(existsSync(join(root, build.context, build.dockerfile))).toBe(true)
      for (const volume of volumes) {
        const source = volume.split(':')[0]!
        if (source.startsWith('.'))
          expect({ source, exists: existsSync(join(root, source)) }).toEqual({ source, exists: true })
        else expect(Object.keys(compose.volumes)).toContain(source)
      }
    }
    const made = / in (.*); do/.exec(read('deploy/make-secrets.sh'))![1]!.split(' ')
    expect(Object.keys(compose.secrets).sort()).toEqual(made.sort())
    for (const [name, { file }] of Object.entries(compose.secrets)) expect(file).toBe(`./deploy/secrets/${name}`)
  })

  test('waits only for what tells its health', () => {
    for (const { depends_on = {} } of Object.values(compose.services)) {
      for (const [name, { condition }] of Object.entries(depends_on)) {
        const service = compose.services[name]!
        if (condition === 'service_healthy') {
          expect({ name, told: service.healthcheck !== undefined || service.build !== undefined }).toEqual({
            name,
            told: true,
          })
        }
      }
    }
    expect(dockerfile).toContain('HEALTHCHECK')
  })

  test('gives every service the secrets and the network for what its configuration names', () => {
    const named = [...configText.matchAll(/\/run\/secrets\/(\w+)/g)].map((match) => match[1]!)
    const host = (section: 'store' | 'bus' | 'audit') => new URL(config[section].url).hostname
    for (const service of services) {
      expect(compose.services[service]!.secrets).toEqual(expect.arrayContaining(named))
      expect(share(service, 'gateway')).toBe(true)
    }
    for (const service of ['login', 'token-issuer', 'introspection']) expect(share(service, host('store'))).toBe(true)
    for (const service of ['token-issuer', 'introspection', 'audit']) expect(share(service, host('bus'))).toBe(true)
    expect(share('audit', host('audit'))).toBe(true)
    for (const server of [host('bus'), host('audit')]) expect(share('login', server)).toBe(false)
  })

  test('lets login ask the token-issuer, and nobody from outside either of them over gRPC', () => {
    const { target } = config.services.token_issuer
    expect(target).toBe(`token-issuer:${config.listen.grpc!.split(':')[1]}`)
    expect(share('login', 'token-issuer')).toBe(true)
    for (const name of ['token-issuer', 'login'])
      for (const network of compose.services[name]!.networks)
        expect(compose.networks[network]).toEqual({ internal: true })
    const upstreams = [...read('deploy/nginx.conf').matchAll(/server ([a-z-]+):50051 /g)].map(([, name]) => name)
    expect(upstreams).toEqual(['introspection'])
  })

  test('lets nobody but the services reach the servers, and only this machine the gateway', () => {
    const open = Object.entries(compose.services).filter(([, { ports }]) => ports !== undefined)
    expect(open.map(([name]) => name)).toEqual(['gateway'])
    for (const port of open[0]![1].ports!) expect(port).toMatch(/^\$\{COUNTERSIGN_BIND:-127\.0\.0\.1\}:/)
    for (const server of ['redis', 'nats', 'postgres']) {
      for (const network of compose.services[server]!.networks)
        expect(compose.networks[network]).toEqual({ internal: true })
      expect(share('gateway', server)).toBe(false)
    }
  })
})

describe('the image', () => {
  test('copies only what exists, runs as nobody special, and holds no secret', () => {
    for (const line of read('.dockerignore')
      .split('\n')
      .filter((l) => l.startsWith('!'))) {
      expect({ line, exists: existsSync(join(root, line.slice(1))) }).toEqual({ line, exists: true })
    }
    expect(dockerfile).toMatch(/^USER 1000:1000$/m)
    expect(dockerfile).toMatch(/^STOPSIGNAL SIGTERM$/m)
    expect(dockerfile).not.toMatch(/secret|password/i)
    expect(statSync(join(root, 'deploy/entrypoint.sh')).mode & 0o111).toBe(0o111)
  })
})

describe('deploy/countersign.yaml', () => {
  const folder = temporaryFolder('deploy-config')
  afterAll(() => rmSync(folder, { recursive: true }))

  test('loads without a warning once its secrets are made', () => {
    const { config: file } = secretsAndConfig(folder)
    const loaded = loadConfig({ file, env: {}, cwd: folder })
    expect(loaded.warnings).toEqual([])
    expect(loaded.config.clients.map(({ id }) => id)).toEqual(['batch', 'reports-api', 'web', 'operator'])
  })

  test('keeps the secrets that were made, in a folder for its owner alone', () => {
    const { secretOf } = secretsAndConfig(folder)
    const before = secretOf('master_key')
    expect(before).toMatch(/^[\w-]{43}$/)
    expect(secretsAndConfig(folder).secretOf('master_key')).toBe(before)
    expect(statSync(join(folder, 'secrets')).mode & 0o777).toBe(0o700)
  })
})

describe('deploy/nginx.conf', () => {
  test('is accepted by nginx, and leads to services and ports that exist', async () => {
    const { file, folder } = await gatewayConfig({}, await freePort())
    const checked = spawnSync(findProgram('nginx', 'nginx-light'), ['-t', '-c', file], { encoding: 'utf8' })
    rmSync(folder, { recursive: true })
    expect(checked.stderr).toContain('test is successful')
    expect(checked.status).toBe(0)
    const listening = Object.values(config.listen).map((address) => address.split(':')[1])
    const upstreams = [...read('deploy/nginx.conf').matchAll(/server ([a-z-]+):(\d+) resolve;/g)]
    expect(upstreams).toHaveLength(5)
    for (const [, name, port] of upstreams) {
      expect(services).toContain(name)
      expect(listening).toContain(port)
    }
  })
})

describe('deploy/redis.conf', () => {
  let redis: Awaited<ReturnType<typeof startConfiguredRedis>>
  beforeAll(async () => (redis = await startConfiguredRedis()))
  afterAll(() => redis.stop())

  test('makes Redis keep every acknowledged write, and evict nothing', () => {
    const setting = (name: string) => {
      const args = ['-p', `${redis.port}`, 'CONFIG', 'GET', name]
      return spawnSync(findProgram('redis-cli', 'redis-tools'), args, { encoding: 'utf8' }).stdout.split('\n')[1]
    }
    expect(setting('appendonly')).toBe('yes')
    expect(setting('appendfsync')).toBe('always')
    expect(setting('no-appendfsync-on-rewrite')).toBe('no')
    expect(setting('maxmemory-policy')).toBe('noeviction')
    expect(setting('maxmemory')).toBe('1073741824')
  })
})

describe('the user of Redis that docs/operations.md tells of', () => {
  test('may do all that a service does', async () => {
    const [, rights = ''] = /ACL user of its own needs `([^`]+)`/.exec(read('docs/operations.md')) ?? []
    const redis = await startRedis({ config: [`user service on >password ${rights}`] })
    const url = redis.url.replace('//', '//service:password@')
    const [store, counts] = [await openStore({ url }), await openRedisConnection({ url })]
    try {
      const key = keyOf(0, 'test/1')
      const commit = { id: 'a'.repeat(32), partition: 0, checks: [], deletes: [], events: [], facts: [] }
      expect(await store.commit({ ...commit, puts: [{ key, value: Buffer.from('x') }] })).not.toBe('conflict')
      expect(await store.get([key])).toHaveLength(1)
      const trouble: string[] = []
      const limiters = createLimiters({ redis: counts!, onState: (state) => trouble.push(state) })
      const { fail, blockedSeconds } = limiters({ name: 'test', points: 1, durationMs: 60_000 })
      await fail('a')
      expect({ blocked: await blockedSeconds('a'), trouble }).toEqual({ blocked: expect.any(Number), trouble: [] })
    } finally {
      await Promise.all([store.close(), counts?.close()])
      await redis.stop()
    }
  })
})

describe('deploy/nats.conf', () => {
  test('is accepted by nats-server, and has every message on disk before it is acknowledged', async () => {
    expect(read('deploy/nats.conf')).toMatch(/^ {2}sync_interval: always$/m)
    const { file, folder, program } = await natsConfig()
    const checked = spawnSync(program, ['-t', '-c', file], { encoding: 'utf8' })
    rmSync(folder, { recursive: true })
    expect(checked.stderr).toContain('configuration file')
    expect(checked.status).toBe(0)
  })
})

describe.each(['docs/operations.md', 'docs/events.md', 'docs/security.md', 'examples/python-grpc/README.md'])(
  '%s',
  (file) => {
    test('names files that exist', () => {
      const links = [...read(file).matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map((match) =>
        join(dirname(file), match[1]!),
      )
      const named = [...read(file).matchAll(/`((?:apps|deploy|docs|examples|libs|tools)\/[\w./-]+\.\w+)`/g)].map(
        ([, path]) => path!,
      )
      expect([...links, ...named].filter((path) => !existsSync(join(root, path)))).toEqual([])
    })
  },
)
