import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { cpSync, globSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { redisCli, startProxy, startStack, temporaryFolder, until, type Proxy, type Stack } from '@countersign/servers'
import { Cache, Revocations } from './caches.ts'

const boundMs = 1_000
/** Of one of the caches: less than the service's. */
const shortBoundMs = 400

describe('a revoked token is refused by every cache within the bound', () => {
  let stack: Stack
  /** Between the service and Redis, the service and NATS, and one of the caches and the service. */
  let redis: Proxy
  let nats: Proxy
  let grpc: Proxy
  let caches: Cache[]
  let revocations: Revocations
  let clockFile: string

  beforeAll(async () => {
    clockFile = join(temporaryFolder('clock'), 'offset')
    setClock('+0')
    stack = await startStack({
      async environment(service, urls) {
        if (service !== 'introspection') return {}
        redis = await startProxy(Number(new URL(urls.redis).port))
        nats = await startProxy(Number(new URL(urls.nats).port))
        return {
          COUNTERSIGN_STORE__URL: `redis://127.0.0.1:${redis.port}`,
          COUNTERSIGN_BUS__URL: `nats://127.0.0.1:${nats.port}`,
          ...movableClock(),
        }
      },
    })
    grpc = await startProxy(Number(stack.grpcTarget.split(':')[1]))
  }, 120_000)

  beforeEach(async () => {
    const clientSecret = stack.secrets['reports-api']
    caches = [
      await Cache.start({ target: stack.grpcTarget, clientSecret, maxStalenessMs: boundMs }, movableClock()),
      await Cache.start({ target: `127.0.0.1:${grpc.port}`, clientSecret, maxStalenessMs: boundMs }),
      await Cache.start({ target: stack.grpcTarget, clientSecret, maxStalenessMs: shortBoundMs }),
    ]
    revocations = new Revocations(stack, caches, boundMs)
    revocations.start()
    await until(async () => (await Promise.all(caches.map((cache) => cache.report()))).every(({ hits }) => hits > 50))
  }, 120_000)

  afterEach(async () => {
    await revocations?.stop()
    await Promise.all((caches ?? []).map((cache) => cache.stop()))
  }, 60_000)

  afterAll(async () => {
    await Promise.all([redis, nats, grpc].map((proxy) => proxy?.stop()))
    await stack?.stop()
    rmSync(join(clockFile, '..'), { recursive: true, force: true })
  }, 60_000)

  const setClock = (offset: string): void => writeFileSync(clockFile, `${offset}\n`)

  /** Moves the time of day of a process, and not its monotonic clock. */
  function movableClock(): Record<string, string> {
    const [library] = globSync('/usr/lib/*/faketime/libfaketime.so.1')
    if (library === undefined) throw new Error('libfaketime is not installed: apt-get install faketime')
    return {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: clockFile,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    }
  }

  /** Lets it happen, lets it heal, and looks at everything that was answered meanwhile. */
  async function through(fault: () => Promise<void>): Promise<void> {
    const before = revocations.revoked.size
    await sleep(300)
    await fault()
    await until(() => Promise.resolve(revocations.revoked.size >= before + 10), 30_000)
    await sleep(2 * boundMs)
    await revocations.stop()
    await until(() => revocations.areSettled(), 15_000)
    const reports = await Promise.all(caches.map((cache) => cache.report()))
    const hits = reports.map((report) => report.hits)
    expect(await revocations.violations()).toEqual([])
    expect(revocations.revoked.size).toBeGreaterThanOrEqual(before + 10)
    // And all of them answer from memory again.
    await until(async () => {
      const now = await Promise.all(caches.map((cache) => cache.report()))
      return now.every((report, n) => report.isWatching && report.hits > hits[n]! + 50)
    })
  }

  test('while nothing is wrong, and long before it', async () => {
    await through(() => sleep(1_000))
  }, 120_000)

  test('when a cache is stopped, with what it is told waiting for it, and goes on', async () => {
    await through(async () => {
      for (const pauseMs of [700, 1_500, 3_000]) {
        for (const cache of caches) cache.pause()
        await sleep(pauseMs)
        for (const cache of caches) cache.resume()
        await sleep(200)
      }
    })
  }, 120_000)

  test('when the service is stopped and goes on', async () => {
    await through(async () => {
      for (const pauseMs of [700, 2_500]) {
        stack.processes.introspection.pause()
        await sleep(pauseMs)
        stack.processes.introspection.resume()
        await sleep(300)
      }
    })
  }, 120_000)

  test('when what a cache is told is held back, late, or lost with its connection', async () => {
    await through(async () => {
      for (const way of ['to client', 'to server', 'both'] as const) {
        grpc.hold(way)
        await sleep(1_800)
        grpc.release()
        await sleep(300)
      }
      grpc.delay(0, 700)
      await sleep(2_000)
      grpc.delay(0, 1_600)
      await sleep(4_000)
      grpc.delay(300, 300)
      await sleep(2_000)
      grpc.delay(0, 0)
      for (let n = 0; n < 5; n++) {
        grpc.cut()
        await sleep(200)
      }
    })
  }, 120_000)

  test('when Redis is slow to the service, or does not answer it', async () => {
    await through(async () => {
      redis.delay(0, 600)
      await sleep(2_500)
      redis.delay(0, 0)
      redis.hold('to client')
      await sleep(2_500)
      redis.release()
      redis.cut()
    })
  }, 120_000)

  test('when Redis is slower than the bound, and NATS brings nothing', async () => {
    await through(async () => {
      nats.hold('to client')
      redis.delay(0, 1_600)
      await sleep(5_000)
      redis.delay(0, 0)
      nats.release()
    })
  }, 120_000)

  test('when NATS brings nothing, everything late, or is killed', async () => {
    await through(async () => {
      nats.hold('to client')
      await sleep(2_000)
      nats.release()
      nats.delay(0, 900)
      await sleep(2_000)
      nats.delay(0, 0)
      await stack.nats.kill()
      await sleep(3_000)
      await stack.nats.start()
    })
  }, 120_000)

  test('when Redis is killed and comes back', async () => {
    await through(async () => {
      await stack.redis.kill()
      await sleep(2_500)
      await stack.redis.start()
    })
  }, 120_000)

  test('when the service is killed and comes back', async () => {
    await through(async () => {
      await stack.processes.introspection.kill()
      await sleep(1_500)
      await stack.processes.introspection.start()
    })
  }, 120_000)

  test('when the time of day is moved, there and back', async () => {
    await through(async () => {
      for (const offset of ['+3600', '+0', '-3600', '+0', '+5', '-5', '+0']) {
        setClock(offset)
        await sleep(800)
      }
    })
  }, 120_000)

  test('after Redis was set back to an older copy: the caches notice, start anew, and it is an alarm', async () => {
    const copy = temporaryFolder('older')
    await through(async () => {
      await stack.redis.kill()
      cpSync(stack.redis.folder, copy, { recursive: true })
      // Whatever is acknowledged from here on is not in the copy, and from the moment that Redis is back it may be.
      const known = new Set(revocations.revoked.keys())
      await stack.redis.start()
      await until(() => Promise.resolve(revocations.revoked.size >= known.size + 5), 30_000)
      await stack.redis.kill()
      // What was acknowledged before has arrived by then.
      await sleep(1_000)
      revocations.excuse([...revocations.revoked.keys()].filter((token) => !known.has(token)))
      // Tokens issued since are gone with it: the store knows nothing of them.
      revocations.live.splice(0)
      rmSync(stack.redis.folder, { recursive: true, force: true })
      cpSync(copy, stack.redis.folder, { recursive: true })
      await stack.redis.start()
      expect(redisCli(stack.redis.port, 'PING')).toContain('PONG')
    })
    const metrics = await (await fetch(`${stack.processes.introspection.management}/metrics`)).text()
    expect(Number(/^countersign_store_rollbacks_total(?:{[^}]*})? (\d+)$/m.exec(metrics)?.[1])).toBeGreaterThan(0)
    expect(stack.processes.introspection.output).toContain('ALARM')
    const reports = await Promise.all(caches.map((cache) => cache.report()))
    expect(reports.map(({ rollbacks }) => rollbacks > 0)).toEqual([true, true, true])
    rmSync(copy, { recursive: true, force: true })
  }, 120_000)
})
