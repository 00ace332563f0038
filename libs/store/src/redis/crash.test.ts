import { startRedis } from '@countersign/servers'
import { expect, test } from '@jest/globals'
import { setTimeout as sleep } from 'node:timers/promises'
import { until, type Harness } from '../conformance/harness.ts'
import { cleanup } from '../conformance/cleanup.ts'
import { checkLoad } from '../conformance/check-load.ts'
import { startLoad } from '../conformance/load.ts'
import { openRedisStore } from './redis-store.ts'

const kills = 6
const ending = cleanup()

test(`a Redis killed ${kills} times under load loses nothing that was acknowledged, and keeps no half of anything`, async () => {
  const server = ending(await startRedis())
  const store = ending(await openRedisStore({ url: server.url, commandTimeoutMs: 1_000 }))
  const harness = { store, partition: 0 } as Harness
  await store.commit({ id: '0'.repeat(32), partition: 0, checks: [], puts: [], deletes: [], events: [], facts: [] })
  const { revision } = await store.facts(0, undefined)
  const load = ending(startLoad(harness, 16))
  for (let kill = 0; kill < kills; kill++) {
    const acknowledged = load.acknowledged.size
    await until(() => load.acknowledged.size > acknowledged + 50, 1)
    await sleep(Math.random() * 20)
    await server.kill()
    await sleep(kill % 2 === 0 ? 0 : 300)
    await server.start()
  }
  const acknowledged = load.acknowledged.size
  await until(() => load.acknowledged.size > acknowledged + 50)
  await load.stop()
  expect(load.acknowledged.size).toBeGreaterThan(kills * 50)
  await checkLoad(harness, load, revision)
}, 60_000)
