import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { Failure } from '@countersign/contracts'
import { createManagement, type Management } from './management.ts'
import { createMetrics } from './metrics.ts'
import { keptLog } from './testing/http.ts'

describe('the management listener', () => {
  let management: Management
  let url: string
  let runs = 0
  const checks = { store: async () => {}, bus: async () => {} }

  beforeEach(async () => {
    runs = 0
    checks.store = async () => void runs++
    checks.bus = async () => {}
    const asked = { store: () => checks.store(), bus: () => checks.bus() }
    const metrics = createMetrics({ name: 'test' })
    management = createManagement({ metrics, checks: asked, log: keptLog(), checkMs: 100 })
    const { port } = await management.listen({ host: '127.0.0.1', port: 0 })
    url = `http://127.0.0.1:${port}`
  })
  afterEach(() => management.close(0))

  const ready = async () => {
    const response = await fetch(`${url}/readyz`)
    return [response.status, await response.json()]
  }

  test('has metrics in Prometheus’s format', async () => {
    const response = await fetch(`${url}/metrics`)
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
    expect(await response.text()).toContain('process_resident_memory_bytes')
  })

  test('is ready while every check passes, and names those that do not', async () => {
    expect(await ready()).toEqual([200, { status: 'ready' }])
    checks.store = () => Promise.reject(new Failure('unavailable', 'Redis does not answer'))
    checks.bus = () => {
      throw new Error('nats://user:secret@host')
    }
    const [status, body] = await ready()
    expect(status).toBe(503)
    expect(body).toMatchObject({ failing: { store: 'Redis does not answer', bus: expect.any(String) } })
    expect(JSON.stringify(body)).not.toContain('secret')
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
  })

  test('gives a check that hangs no more than its time', async () => {
    checks.store = () => new Promise(() => undefined)
    expect(await ready()).toEqual([503, { status: 'not ready', failing: { store: 'no answer within 100 ms' } }])
  })

  test('runs the checks once for all who ask at the same time', async () => {
    let release = () => {}
    checks.bus = () => new Promise((resolve) => (release = resolve))
    const asked = Promise.all(Array.from({ length: 10 }, ready))
    await new Promise((resolve) => setTimeout(resolve, 50))
    release()
    await asked
    expect(runs).toBe(1)
  })

  test('is not ready any more once it drains, but alive', async () => {
    management.drain()
    expect(await ready()).toEqual([503, { status: 'shutting down' }])
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
  })
})
