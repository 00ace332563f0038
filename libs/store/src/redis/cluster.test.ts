import { freePort, redisCli, startRedis, startRedisCluster, type RedisCluster } from '@countersign/servers'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { failure } from '../conformance/failure.ts'
import { cleanup } from '../conformance/cleanup.ts'
import { commit, eventsOf, freshKey, putOf, until, type Harness } from '../conformance/harness.ts'
import { storeConformanceCore } from '../conformance/suite.ts'
import { newCommitId } from '../commit-id.ts'
import { harnessOf, succeeds } from './harness.ts'
import { inspectRedis, openRedisStore } from './redis-store.ts'

let cluster: RedisCluster
const ending = cleanup()
beforeAll(async () => void (cluster = await startRedisCluster()))
afterAll(async () => cluster.stop())

const ports = () => cluster.nodes.map(({ port }) => port)

for (const partition of [0, 9, 63])
  storeConformanceCore(`the store in a Redis Cluster, partition ${partition}`, async () =>
    harnessOf(await openRedisStore({ url: cluster.url }), partition, ports()),
  )

test('partitions are on all of its nodes, and each on one', async () => {
  const store = ending(await openRedisStore({ url: cluster.url }))
  for (let partition = 0; partition < 64; partition++) await commit(harnessOf(store, partition))
  const found = ports().map((port) => redisCli(port, 'KEYS', 'cs{*}:.meta').trim().split('\n'))
  expect(Math.min(...found.map((keys) => keys.length))).toBeGreaterThan(5)
  expect(found.flat().sort()).toEqual(Array.from({ length: 64 }, (_, n) => `cs{${n}}:.meta`).sort())
})

test('each node is looked at before it is used', async () => {
  const port = ports()[1]!
  redisCli(port, 'CONFIG', 'SET', 'appendfsync', 'everysec')
  const settings = await inspectRedis({ url: cluster.url })
  expect(settings.filter(({ ok }) => !ok)).toMatchObject([{ node: `127.0.0.1:${port}` }])
  await expect(openRedisStore({ url: cluster.url })).rejects.toThrow(`127.0.0.1:${port}: appendfsync is everysec`)
  redisCli(port, 'CONFIG', 'SET', 'appendfsync', 'always')
})

test('each node that forgot its scripts is sent them again', async () => {
  const store = ending(await openRedisStore({ url: cluster.url }))
  for (const port of ports()) redisCli(port, 'SCRIPT', 'FLUSH')
  for (let partition = 0; partition < 12; partition++) {
    const harness = harnessOf(store, partition)
    const key = freshKey(harness)
    await commit(harness, { puts: [putOf(key)] })
    expect(await store.follow(key)).toHaveLength(1)
  }
})

test('a slot that moves to another node is found there', async () => {
  const store = ending(await openRedisStore({ url: cluster.url }))
  const harness = harnessOf(store, 30)
  const id = newCommitId()
  const key = freshKey(harness)
  await commit(harness, { id, puts: [putOf(key)], events: eventsOf(harness, id) })
  const slot = redisCli(ports()[0]!, 'CLUSTER', 'KEYSLOT', '{30}').trim()
  const [from, to] = await movingSlot(slot)
  expect(await store.follow(key)).toHaveLength(1)
  expect(await commit(harness, { checks: [{ key, version: id }], puts: [putOf(key)] })).toMatchObject({
    backlogEvents: 1,
  })
  expect(redisCli(to, 'KEYS', 'cs{30}:.meta')).toContain('.meta')
  expect(redisCli(from, 'KEYS', 'cs{30}:.meta').trim()).toBe('')
})

/** Moves a slot with its keys to another node, and gives the ports of the two. */
async function movingSlot(slot: string): Promise<[from: number, to: number]> {
  const ids = ports().map((port) => redisCli(port, 'CLUSTER', 'MYID').trim())
  const owner = ports().findIndex((port) => Number(redisCli(port, 'CLUSTER', 'COUNTKEYSINSLOT', slot)) > 0)
  const target = (owner + 1) % ids.length
  const [from, to] = [ports()[owner]!, ports()[target]!]
  redisCli(to, 'CLUSTER', 'SETSLOT', slot, 'IMPORTING', ids[owner]!)
  redisCli(from, 'CLUSTER', 'SETSLOT', slot, 'MIGRATING', ids[target]!)
  const keys = redisCli(from, 'CLUSTER', 'GETKEYSINSLOT', slot, '1000').trim().split('\n')
  redisCli(from, 'MIGRATE', '127.0.0.1', String(to), '', '0', '5000', 'KEYS', ...keys)
  for (const port of [to, from]) redisCli(port, 'CLUSTER', 'SETSLOT', slot, 'NODE', ids[target]!)
  await until(() => redisCli(from, 'CLUSTER', 'NODES').includes(`[${slot}`) === false)
  return [from, to]
}

test('a commit waits for the replicas of its own partition’s node', async () => {
  const store = ending(await openRedisStore({ url: cluster.url, waitReplicas: 1, commandTimeoutMs: 500 }))
  const [replicated, ...alone] = ports().reverse()
  const partitionAt = (port: number) => Number(/cs\{(\d+)\}:.meta/.exec(redisCli(port, 'KEYS', 'cs{*}:.meta'))![1])
  const config = ['cluster-enabled yes', 'cluster-node-timeout 2000', `cluster-port ${await freePort()}`]
  const replica = ending(await startRedis({ config }))
  const id = redisCli(replicated!, 'CLUSTER', 'MYID').trim()
  const busPort = new RegExp(`${id} [^@]*@(\\d+)`).exec(redisCli(replicated!, 'CLUSTER', 'NODES'))![1]!
  redisCli(replicated!, 'CONFIG', 'SET', 'repl-diskless-sync-delay', '0')
  redisCli(replica.port, 'CLUSTER', 'MEET', '127.0.0.1', String(replicated!), busPort)
  await until(() => redisCli(replica.port, 'CLUSTER', 'REPLICATE', id).includes('OK'))
  await until(() => succeeds(commit(harnessOf(store, partitionAt(replicated!)))))
  for (const port of alone)
    await expect(commit(harnessOf(store, partitionAt(port)))).rejects.toEqual(failure('unavailable'))
  const replicaId = redisCli(replica.port, 'CLUSTER', 'MYID').trim()
  for (const port of ports()) redisCli(port, 'CLUSTER', 'FORGET', replicaId)
})

test('a node that is killed or stopped fails its own partitions alone, and comes back; so do all of them', async () => {
  const store = ending(await openRedisStore({ url: cluster.url, commandTimeoutMs: 1_000 }))
  const at = Array.from({ length: 12 }, (_, partition): Harness => harnessOf(store, partition))
  const outcomes = () => Promise.allSettled(at.map((harness) => commit(harness, { puts: [putOf(freshKey(harness))] })))
  const node = cluster.nodes[0]!
  const here = redisCli(node.port, 'KEYS', 'cs{*}:.meta')
  const back = async () => (await outcomes()).every(({ status }) => status === 'fulfilled')
  for (const [fail, mend] of [
    [() => node.kill(), () => node.start()],
    [async () => node.pause(), async () => node.resume()],
  ] as const) {
    await fail()
    for (const [partition, outcome] of (await outcomes()).entries()) {
      expect([partition, outcome.status]).toEqual([
        partition,
        here.includes(`cs{${partition}}:`) ? 'rejected' : 'fulfilled',
      ])
      if (outcome.status === 'rejected') expect(outcome.reason).toEqual(failure('unavailable'))
    }
    await mend()
    await until(back)
  }
  await Promise.all(cluster.nodes.map((each) => each.kill()))
  expect((await outcomes()).map(({ status }) => status)).toEqual(at.map(() => 'rejected'))
  for (const each of cluster.nodes) await each.start()
  await until(back)
}, 60_000)
