import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { ask, MainJob, startEmbedded, until, type Embedded } from '@countersign/servers'

const program = fileURLToPath(new URL('server.mjs', import.meta.url))

/** The example, started with these variables. */
async function startExample(variables: Record<string, string>) {
  const env = { PATH: process.env.PATH, PORT: '0', ...variables }
  const child = spawn(process.execPath, [program], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  const { value } = await createInterface(child.stdout)[Symbol.asyncIterator]().next()
  const url = /^listening on (http:.+)$/.exec(String(value))?.[1]
  if (url === undefined) throw new Error(`it did not start: ${errors}`)
  return {
    url,
    errors: () => errors,
    get: (path: string, token?: string, method = 'GET') =>
      ask(`${url}${path}`, { method, headers: token === undefined ? {} : { authorization: `Bearer ${token}` } }),
    async stop() {
      child.kill('SIGTERM')
      return (await once(child, 'exit'))[0] as number | null
    },
  }
}

describe('the resource API', () => {
  let embedded: Embedded
  let job: MainJob
  let api: Awaited<ReturnType<typeof startExample>>

  beforeAll(async () => {
    embedded = await startEmbedded()
    job = new MainJob(embedded)
    api = await startExample({
      COUNTERSIGN_TARGET: embedded.grpcTarget,
      COUNTERSIGN_CLIENT_SECRET: embedded.secrets['reports-api'],
    })
    await until(async () => /^countersign_verifier_watching 1$/m.test((await api.get('/metrics')).text))
  })
  afterAll(() => embedded?.stop())

  test('asks for a token', async () => {
    const { status, headers } = await api.get('/reports')
    expect([status, headers['www-authenticate']]).toEqual([401, 'Bearer realm="reports"'])
    expect((await api.get('/healthz')).status).toBe(200)
  })

  test('answers to a token with the scope, and not without', async () => {
    const token = await job.token()
    const read = await api.get('/reports', token)
    expect([read.status, read.json()]).toEqual([200, { for: 'batch', reports: [{ id: 1, title: 'Rainfall, 2025' }] }])
    const write = await api.get('/reports', token, 'POST')
    expect(write.status).toBe(403)
    expect(write.headers['www-authenticate']).toMatch(/error="insufficient_scope".*scope="write:reports"/)
  })

  test('takes a revoked token for a second at most', async () => {
    const token = await job.token()
    expect((await api.get('/reports', token)).status).toBe(200)
    await job.revoke(token)
    const revokedMs = performance.now()
    for (;;) {
      const begunMs = performance.now()
      const { status, headers } = await api.get('/reports', token)
      if (status === 401) {
        expect(headers['www-authenticate']).toMatch(/^Bearer realm="reports", error="invalid_token"/)
        break
      }
      expect(begunMs - revokedMs).toBeLessThan(1_000)
    }
    expect((await api.get('/metrics')).text).toMatch(/^countersign_verifier_facts_total [1-9]/m)
  })

  test('answers 503 while Countersign is away, and goes on once it is back', async () => {
    const token = await job.token()
    expect((await api.get('/reports', token)).status).toBe(200)
    const seen = new Set<number>()
    const isNow = (wanted: number) => async () => {
      const { status } = await api.get('/reports', token)
      seen.add(status)
      return status === wanted
    }
    await embedded.process.kill()
    await until(isNow(503))
    await embedded.process.start()
    await until(isNow(200))
    expect([...seen].sort()).toEqual([200, 503])
    expect((await api.get('/reports', 'made-up')).status).toBe(401)
  })

  test('ends when it is asked to', async () => {
    expect(await api.stop()).toBe(0)
    expect(api.errors()).toMatch(/^[^]*Countersign is not being watched[^]*$/)
  })
})

test('while authentication is off everybody is let through, and it is said', async () => {
  const api = await startExample({})
  const { status, text } = await api.get('/reports')
  expect([status, JSON.parse(text).for]).toEqual([200, 'anonymous'])
  expect((await api.get('/metrics')).text).toMatch(/^countersign_verifier_anonymous_total 1$/m)
  expect(api.errors()).toMatch(/AUTHENTICATION IS OFF/)
  expect(await api.stop()).toBe(0)
})

test('a secret without a target does not turn authentication off', () => {
  const env = { PATH: process.env.PATH, PORT: '0', COUNTERSIGN_CLIENT_SECRET: 'secret' }
  const { status, stderr } = spawnSync(process.execPath, [program], { env, encoding: 'utf8' })
  expect(status).toBe(1)
  expect(stderr).toMatch(/target is missing/)
})
