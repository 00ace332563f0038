import { redisCli, startRedis } from '@countersign/servers'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Harness } from '../conformance/harness.ts'
import { storeConformance } from '../conformance/suite.ts'
import { openRedisStore } from './redis-store.ts'

async function openHarness(): Promise<Harness> {
  const server = await startRedis()
  const { url, port } = server
  const harness: Harness = {
    store: await openRedisStore({ url }),
    partition: 0,
    now: Date.now,
    pass: sleep,
    reopen: async () => {
      await harness.store.close()
      await server.restart()
      harness.store = await openRedisStore({ url })
    },
    wipe: async () => void redisCli(port, 'FLUSHALL'),
    forgetFacts: async () => void redisCli(port, 'XTRIM', 'cs{0}:.facts', 'MAXLEN', '0'),
    held: async () => {
      const listings = redisCli(port, 'KEYS', 'cs{0}:.l/*').split('\n').filter(Boolean)
      const members = listings.map((listing) => Number(redisCli(port, 'ZCARD', listing)))
      const things = members.reduce((sum, count) => sum + count, Number(redisCli(port, 'DBSIZE')))
      return { things, bytes: Number(/used_memory:(\d+)/.exec(redisCli(port, 'INFO', 'memory'))![1]) }
    },
    close: async () => {
      await harness.store.close()
      await server.stop()
    },
  }
  return harness
}

storeConformance('the store in Redis', openHarness)
