/** For tests of servers that several stores share: what the core of the conformance suite needs. */
import type { Partition } from '@countersign/contracts'
import { redisCli } from '@countersign/servers'
import { setTimeout as sleep } from 'node:timers/promises'
import { until, type Harness } from '../conformance/harness.ts'
import type { Store } from '../port.ts'
import { openRedisStore, type RedisStoreOptions } from './redis-store.ts'

const notHere = () => Promise.reject(new Error('the server is shared'))

export const harnessOf = (store: Store, partition: Partition, ports: number[] = []): Harness => ({
  store,
  partition,
  now: Date.now,
  pass: sleep,
  wipe: notHere,
  backUp: notHere,
  forgetFacts: async () => {
    for (const port of ports) redisCli(port, 'XTRIM', `cs{${partition}}:.facts`, 'MAXLEN', '0')
  },
  held: notHere,
  close: () => store.close(),
})

export const succeeds = (work: Promise<unknown>): Promise<boolean> =>
  work.then(
    () => true,
    () => false,
  )

/** Opens a store as soon as that is possible. */
export async function openWhenUp(options: RedisStoreOptions): Promise<Store> {
  const opened: Store[] = []
  await until(() => succeeds(openRedisStore(options).then((store) => opened.push(store))))
  return opened[0]!
}
