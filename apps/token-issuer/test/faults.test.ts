import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { hash } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { MainJob, startStack, until, type Stack } from '@countersign/servers'

const fingerprintOf = (token: string) => hash('sha256', token, 'base64url').slice(0, 22)

/** Issues and revokes without pause, and remembers what was acknowledged. */
class Load {
  readonly issued = new Set<string>()
  readonly revoked = new Set<string>()
  /** Asked for, and not acknowledged: may have happened. */
  readonly unsure = new Set<string>()
  refused = 0
  #isRunning = true
  readonly #workers: Promise<void>[]

  constructor(job: MainJob, workers = 4) {
    this.#workers = Array.from({ length: workers }, () => this.#work(job))
  }

  async #work(job: MainJob): Promise<void> {
    for (let n = 0; this.#isRunning; n++) {
      try {
        const reply = await job.issue()
        if (reply.status !== 200) {
          expect(reply.status).toBe(503)
          this.refused++
          await sleep(20)
          continue
        }
        const token = reply.json<{ access_token: string }>().access_token
        this.issued.add(token)
        if (n % 3 === 0) await this.#revoke(job, token)
      } catch {
        this.refused++
        await sleep(20)
      }
    }
  }

  async #revoke(job: MainJob, token: string): Promise<void> {
    this.unsure.add(token)
    const reply = await job.revoke(token)
    if (reply.status !== 200) return
    this.revoked.add(token)
    this.unsure.delete(token)
  }

  async stop(): Promise<void> {
    this.#isRunning = false
    await Promise.all(this.#workers)
  }
}

describe('the main job in separate processes', () => {
  let stack: Stack
  let job: MainJob

  beforeAll(async () => {
    stack = await startStack()
    job = new MainJob(stack)
  }, 120_000)
  afterAll(() => stack?.stop())

  /** Everything acknowledged is so, and the journal has every event of it once. */
  async function check(load: Load): Promise<void> {
    // Each service finds its way back by itself, in its own time.
    const [first] = load.issued
    await until(async () => (await job.introspect(first!)).status === 200)
    for (const token of load.issued) {
      if (!load.unsure.has(token)) expect(await job.isActive(token)).toBe(!load.revoked.has(token))
    }
    const expected = [
      ...[...load.issued].map((token) => `token.issued ${fingerprintOf(token)}`),
      ...[...load.revoked].map((token) => `token.revoked ${fingerprintOf(token)}`),
    ]
    const told = async () => (await job.events()).map(({ type, token_fingerprint }) => `${type} ${token_fingerprint}`)
    await until(async () => {
      const known = new Set(await told())
      return expected.every((event) => known.has(event))
    }, 90_000)
    const events = await job.events()
    expect(events.map(({ index }) => index)).toEqual(events.map((_, n) => n + 1))
    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length)
    const aboutTokens = events.filter(({ type }) => type.startsWith('token.'))
    const names = aboutTokens.map(({ type, token_fingerprint }) => `${type} ${token_fingerprint}`)
    expect(new Set(names).size).toBe(names.length)
  }

  async function through(fault: () => Promise<void>): Promise<Load> {
    const load = new Load(job)
    try {
      await until(() => load.issued.size >= 100)
      await fault()
      const before = load.issued.size
      await until(() => load.issued.size >= before + 100, 60_000)
    } finally {
      await load.stop()
    }
    await check(load)
    return load
  }

  test('is done, over HTTP, from token to journal', async () => {
    const token = await job.token()
    expect(await job.isActive(token)).toBe(true)
    expect((await job.revoke(token)).status).toBe(200)
    expect(await job.isActive(token)).toBe(false)
    const about = async () => (await job.events(`&token_fingerprint=${fingerprintOf(token)}`)).map(({ type }) => type)
    await until(async () => (await about()).length === 2)
    expect(await about()).toEqual(['token.issued', 'token.revoked'])
  })

  test('loses nothing when Redis is killed and restarted', async () => {
    const load = await through(async () => {
      await stack.redis.kill()
      await sleep(4_000)
      await stack.redis.start()
    })
    expect(load.refused).toBeGreaterThan(0)
  }, 180_000)

  test('guesses no verdict and takes no revocation while Redis is down', async () => {
    const token = await job.token()
    await stack.redis.kill()
    try {
      expect((await job.introspect(token)).status).toBe(503)
      expect((await job.revoke(token)).status).toBe(503)
      expect((await job.issue()).status).toBe(503)
    } finally {
      await stack.redis.start()
    }
    await until(() => job.isActive(token))
    await until(async () => (await job.issue()).status === 200)
  }, 60_000)

  test('loses nothing, and notices nothing, when NATS is killed and restarted', async () => {
    const load = await through(async () => {
      await stack.nats.kill()
      await sleep(1_500)
      await stack.nats.start()
    })
    expect(load.refused).toBe(0)
  }, 180_000)

  test('loses nothing when NATS comes back without anything it ever had', async () => {
    const load = await through(async () => {
      await stack.nats.kill()
      rmSync(join(stack.nats.folder, 'jetstream'), { recursive: true, force: true })
      await stack.nats.start()
    })
    expect(load.refused).toBe(0)
  }, 180_000)

  test('loses nothing, and notices nothing, when PostgreSQL is killed and restarted', async () => {
    const load = await through(async () => {
      await stack.postgres.kill()
      await sleep(1_500)
      await stack.postgres.start()
    })
    expect(load.refused).toBe(0)
  }, 180_000)

  test('loses nothing when each service is killed and restarted', async () => {
    await through(async () => {
      for (const service of Object.values(stack.processes)) {
        await service.restart()
        await sleep(200)
      }
    })
  }, 240_000)

  test('loses nothing when a service is told to stop: what it was asked is answered first', async () => {
    const load = new Load(job)
    await until(() => load.issued.size >= 50)
    const issuer = stack.processes['token-issuer']
    await issuer.terminate()
    await issuer.start()
    const before = load.issued.size
    await until(() => load.issued.size >= before + 50, 60_000)
    await load.stop()
    await check(load)
  }, 120_000)
})
