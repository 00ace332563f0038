import { redisCli, startRedis } from '@countersign/servers'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Harness } from '../conformance/harness.ts'
import { storeConformance } from '../conformance/suite.ts'
import { openRedisStore } from './redis-store.ts'

const copyAll = `
  for _, key in ipairs(redis.call('KEYS', ARGV[1] .. '*')) do
    redis.call('COPY', key, ARGV[2] .. string.sub(key, #ARGV[1] + 1), 'REPLACE')
  end`

const withoutTips = `
  redis.call('HDEL', KEYS[1], 'tip')
  local facts = redis.call('XRANGE', KEYS[2], '-', '+')
  redis.call('DEL', KEYS[2])
  for _, fact in ipairs(facts) do redis.call('XADD', KEYS[2], fact[1], unpack(fact[2], 1, 6)) end`

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
    backUp: async () => {
      redisCli(port, 'EVAL', copyAll, '0', 'cs{', 'backup-cs{')
      return async () => {
        redisCli(port, 'EVAL', `for _, key in ipairs(redis.call('KEYS', 'cs{*')) do redis.call('DEL', key) end`, '0')
        redisCli(port, 'EVAL', copyAll, '0', 'backup-cs{', 'cs{')
      }
    },
    forgetTips: async () => void redisCli(port, 'EVAL', withoutTips, '2', 'cs{0}:.meta', 'cs{0}:.facts'),
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
