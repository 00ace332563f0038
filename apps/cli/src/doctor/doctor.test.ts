import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  freePort,
  startNats,
  startPostgres,
  startRedis,
  type NatsServer,
  type PostgresServer,
  type RedisServer,
} from '@countersign/servers'
import { runCommand } from '../testing/command.ts'
import { Stack } from '../testing/stack.ts'
import type { Finding } from './finding.ts'

const folder = mkdtempSync(join(tmpdir(), 'countersign-doctor-'))
const password = 'hunter2hunter2'
let redis: RedisServer
let carelessRedis: RedisServer
let nats: NatsServer
let postgres: PostgresServer
let silent: Server

beforeAll(async () => {
  const user = `user doctor on >${password} ~* &* +@all`
  ;[redis, carelessRedis, nats, postgres] = await Promise.all([
    startRedis(),
    startRedis({ appendfsync: 'everysec', maxmemoryPolicy: 'allkeys-lru', config: [user] }),
    startNats(),
    startPostgres(),
  ])
  silent = createServer(() => undefined).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  writeFileSync(join(folder, 'master.key'), 'k'.repeat(48), { mode: 0o600 })
})

afterAll(async () => {
  await Promise.all([redis, carelessRedis, nats, postgres].map((server) => server?.stop()))
  silent.close()
  rmSync(folder, { recursive: true })
})

interface Settings {
  store?: string
  bus?: string
  audit?: string
  more?: string[]
}

async function configure(name: string, settings: Settings = {}): Promise<string> {
  const [http, grpc, management] = await Promise.all([freePort(), freePort(), freePort()])
  const file = join(folder, name)
  const lines = [
    'version: 1',
    `issuer: http://localhost:${http}`,
    'master_key: { file: ./master.key }',
    `store: { url: "${settings.store ?? redis.url}" }`,
    `bus: { url: "${settings.bus ?? nats.url}" }`,
    `audit: { url: "${settings.audit ?? postgres.url}" }`,
    `listen: { http: 127.0.0.1:${http}, grpc: 127.0.0.1:${grpc}, management: 127.0.0.1:${management} }`,
    ...(settings.more ?? []),
  ]
  writeFileSync(file, lines.join('\n'))
  return file
}

async function examine(file: string): Promise<{ code: number | null; of(check: string): Finding[]; text: string }> {
  const { code, stdout, stderr } = await runCommand(['doctor', '--json', '--config', file])
  const { ok, findings } = JSON.parse(stdout) as { ok: boolean; findings: Finding[] }
  expect(ok).toBe(code === 0)
  return { code, of: (check) => findings.filter((finding) => finding.check === check), text: stdout + stderr }
}

const levels = (findings: Finding[]) => findings.map(({ level }) => level)
const allOk = (findings: Finding[]) => findings.length > 0 && findings.every(({ level }) => level === 'ok')

describe('doctor, of real servers', () => {
  test('finds well what is well', async () => {
    const { code, of } = await examine(await configure('well.yaml'))
    expect(code).toBe(0)
    for (const check of ['configuration', 'master key', 'store', 'clock', 'bus', 'audit', 'listen', 'proxies']) {
      expect({ check, ok: allOk(of(check)) }).toEqual({ check, ok: true })
    }
    expect(of('clock')).toHaveLength(2)
    expect(of('store')[0]!.what).toMatch(/redis_version \d.*appendfsync always/)
    expect(of('issuer')).toEqual([expect.objectContaining({ level: 'warn', mend: expect.stringContaining('start') })])
  })

  test('tells for people in lines what is wrong and how to mend it', async () => {
    const { code, stdout, stderr } = await runCommand([
      'doctor',
      '-c',
      await configure('lines.yaml', { store: carelessRedis.url }),
    ])
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' })
    expect(stdout).toMatch(
      /^fail {2}store {10}127\.0\.0\.1:\d+: appendfsync is everysec, must be always\n +redis-cli CONFIG SET appendfsync always/m,
    )
    expect(stdout).not.toContain('\u001b')
  })

  test('fails a Redis that may lose or evict, and does not show its password', async () => {
    const store = carelessRedis.url.replace('//', `//doctor:${password}@`)
    const { code, of, text } = await examine(await configure('careless.yaml', { store }))
    expect(code).toBe(1)
    const wrong = of('store').filter(({ level }) => level === 'fail')
    expect(wrong.map(({ what }) => /: (\S+) is/.exec(what)?.[1])).toEqual(['appendfsync', 'maxmemory-policy'])
    for (const { mend } of wrong) expect(mend).toContain('redis-cli CONFIG SET')
    expect(text).not.toContain(password)
  })

  test('only warns of such a Redis where the file allows it', async () => {
    const file = await configure('allowed.yaml')
    const more = { COUNTERSIGN_STORE__ALLOW_UNSAFE: 'true', COUNTERSIGN_STORE__URL: carelessRedis.url }
    const { code, stdout } = await runCommand(['doctor', '--config', file], { env: more })
    expect(code).toBe(0)
    expect(stdout).toMatch(/^warn {2}store .* appendfsync is everysec/m)
  })

  test('fails when replicas are to confirm and there are none', async () => {
    const file = await configure('replicas.yaml')
    const { code, stdout } = await runCommand(['doctor', '-c', file], {
      env: { COUNTERSIGN_STORE__WAIT_REPLICAS: '1' },
    })
    expect(code).toBe(1)
    expect(stdout).toMatch(/^fail {2}store .* has 0 replicas, store\.wait_replicas is 1$/m)
  })

  test('tells of each dependency that is down, and of no password', async () => {
    const port = await freePort()
    const at = `doctor:${password}@127.0.0.1:${port}`
    const down = { store: `redis://${at}`, bus: `nats://${at}`, audit: `postgres://${at}/x` }
    const { code, of, text } = await examine(await configure('down.yaml', down))
    expect(code).toBe(1)
    for (const check of ['store', 'bus', 'audit']) {
      expect(of(check)).toEqual([
        expect.objectContaining({ level: 'fail', what: expect.stringContaining('ECONNREFUSED') }),
      ])
    }
    expect(of('clock')).toEqual([])
    expect(text).not.toContain(password)
  })

  test('does not wait for what takes connections and says nothing', async () => {
    const { port } = silent.address() as AddressInfo
    const at = `127.0.0.1:${port}`
    const mute = { store: `redis://${at}`, bus: `nats://${at}`, audit: `postgres://${at}/x` }
    const { code, of } = await examine(await configure('mute.yaml', mute))
    expect(code).toBe(1)
    for (const check of ['store', 'bus', 'audit']) expect(levels(of(check))).toEqual(['fail'])
  })

  test('tells of wrong credentials', async () => {
    const store = carelessRedis.url.replace('//', '//doctor:wrong@')
    const { of } = await examine(await configure('credentials.yaml', { store }))
    expect(of('store')).toEqual([
      expect.objectContaining({ level: 'fail', what: expect.stringContaining('WRONGPASS') }),
    ])
  })

  test('tells of a bus without JetStream', async () => {
    const plain = createServer((socket) => {
      socket.write('INFO {"server_id":"x","version":"2.9.0","max_payload":1048576,"headers":true}\r\n')
      socket
        .on('data', (bytes) => void (bytes.includes('PING') && socket.write('PONG\r\n')))
        .on('error', () => undefined)
    }).listen(0, '127.0.0.1')
    await once(plain, 'listening')
    const bus = `nats://127.0.0.1:${(plain.address() as AddressInfo).port}`
    const { code, of } = await examine(await configure('plain.yaml', { bus }))
    plain.close()
    expect(code).toBe(1)
    expect(of('bus')).toEqual([
      expect.objectContaining({ level: 'fail', what: expect.stringContaining('JetStream off') }),
    ])
  })

  test('only warns of one server of a bus that has another', async () => {
    const bus = `${nats.url},127.0.0.1:${await freePort()}`
    const { code, of } = await examine(await configure('cluster.yaml', { bus }))
    expect(code).toBe(0)
    expect(levels(of('bus'))).toContain('warn')
  })

  test('fails a database that may not be written', async () => {
    const audit = `${postgres.url}?options=-c%20default_transaction_read_only%3Don`
    const { of } = await examine(await configure('read-only.yaml', { audit }))
    expect(of('audit')).toEqual([
      expect.objectContaining({ level: 'fail', what: expect.stringContaining('read-only') }),
    ])
  })

  test('warns of a master key that others may read, and fails without one', async () => {
    const key = join(folder, 'open.key')
    writeFileSync(key, 'k'.repeat(48))
    chmodSync(key, 0o644)
    const env = (path: string) => ({ COUNTERSIGN_MASTER_KEY: `{ file: ${path} }` })
    const file = await configure('key.yaml')
    const open = await runCommand(['doctor', '-c', file], { env: env(key) })
    expect(open.stdout).toMatch(/^warn {2}master key .*mode 0644\)\n +chmod 600 /m)
    const missing = await runCommand(['doctor', '-c', file], { env: env(join(folder, 'no.key')) })
    expect(missing.code).toBe(1)
    expect(missing.stdout).toMatch(/^fail {2}master key .*no\.key does not exist\n +.*openssl rand/m)
  })

  test('tells whether a login of its own would reach the token-issuer', async () => {
    const inspect = async (name: string, port: number) => {
      const more = [`services: { token_issuer: { target: "127.0.0.1:${port}" } }`]
      const { code, of } = await examine(await configure(name, { more }))
      return { code, level: of('token-issuer')[0]?.level, what: of('token-issuer')[0]?.what }
    }
    const stack = await new Stack().start()
    expect(await inspect('reached.yaml', stack.grpcPort)).toMatchObject({ code: 0, level: 'ok' })
    await stack.stop()
    const unreached = await inspect('unreached.yaml', stack.grpcPort)
    expect(unreached).toEqual({ code: 0, level: 'warn', what: expect.stringContaining('does not answer over gRPC') })
  })

  test('fails an address that another program has', async () => {
    const { port } = silent.address() as AddressInfo
    const file = await configure('taken.yaml')
    const { code, stdout } = await runCommand(['doctor', '-c', file], {
      env: { COUNTERSIGN_LISTEN__GRPC: `127.0.0.1:${port}` },
    })
    expect(code).toBe(1)
    expect(stdout).toContain(`grpc 127.0.0.1:${port} is taken by another program`)
  })
})

describe('doctor, of the embedded stack', () => {
  test('finds a new folder well, and makes nothing in it', async () => {
    const cwd = mkdtempSync(join(folder, 'new-'))
    const env = {
      COUNTERSIGN_LISTEN__HTTP: '127.0.0.1:0',
      COUNTERSIGN_LISTEN__GRPC: '127.0.0.1:0',
      COUNTERSIGN_LISTEN__MANAGEMENT: '127.0.0.1:0',
    }
    const { code, stdout } = await runCommand(['doctor'], { cwd, env })
    expect(code).toBe(0)
    expect(stdout).toContain('the first start makes it')
    expect(stdout).toContain('in-process: nothing to reach')
    expect(readdirSync(cwd)).toEqual([])
  })

  test('knows what it serves itself, and that the database is in use', async () => {
    const stack = await new Stack().start()
    const { code, of } = await examine(stack.config)
    await stack.stop()
    expect(code).toBe(0)
    for (const { what } of of('listen')) expect(what).toMatch(/ is served by Countersign$/)
    expect(of('issuer')).toEqual([{ check: 'issuer', level: 'ok', what: `${stack.issuer} answers` }])
    for (const check of ['store', 'audit']) expect({ check, ok: allOk(of(check)) }).toEqual({ check, ok: true })
  })

  test('fails a file that is no database', async () => {
    const broken = join(folder, 'broken.db')
    writeFileSync(broken, 'not a database, and long enough to be looked at as one'.repeat(20), { mode: 0o600 })
    const { code, of } = await examine(await configure('broken.yaml', { store: `sqlite:${broken}` }))
    expect(code).toBe(1)
    expect(of('store')).toEqual([
      expect.objectContaining({ level: 'fail', what: expect.stringContaining('cannot be used') }),
    ])
  })

  test('exits 2 on a configuration that cannot be read', async () => {
    const { code, stdout, stderr } = await runCommand(['doctor', '--config', join(folder, 'none.yaml')])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain('does not exist')
  })
})
