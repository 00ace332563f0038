import { keyOf } from '@countersign/store'
import { inspectStore, openStore, type RedisSetting } from '@countersign/store/open'
import type { Config } from '@countersign/chassis/config'
import { limits } from '../limits.ts'
import { compareClocks } from './clock.ts'
import { fail, ok, sentenceOf, warn, type Check, type Finding, type Patient } from './finding.ts'
import { visitRedis, type RedisNode } from './redis.ts'
import { inspectFile } from './sqlite-file.ts'
import { readTls } from './tls.ts'

const check = 'store'

export const store: Check = {
  name: check,
  mend: 'see that Redis runs, that store.url and its password are right, and that no firewall is between',
  async run(patient) {
    const { url } = patient.loaded.config.store
    if (url.startsWith('sqlite:'))
      return inspectFile(check, url.slice('sqlite:'.length), 'select 1 from entries limit 1')
    const looks = [settings(patient), reads(patient.loaded.config), nodes(patient)]
    const settled = await Promise.allSettled(looks)
    // When it cannot be reached all of them say so, the first best.
    const found = await looks[0]!
    return [...found, ...settled.slice(1).flatMap(orFailing)]
  },
}

const orFailing = (settled: PromiseSettledResult<Finding[]>): Finding[] =>
  settled.status === 'fulfilled' ? settled.value : [fail(check, sentenceOf(settled.reason), store.mend)]

const reach = ({ store: { url, tls } }: Config) => ({ url, tls: readTls(tls), commandTimeoutMs: limits.checkMs / 2 })

async function settings({ loaded: { config } }: Patient): Promise<Finding[]> {
  const inspected = await inspectStore(reach(config))
  const wrong = inspected.filter(({ ok }) => !ok)
  const right = inspected.filter(({ ok }) => ok)
  return [...describeRight(right), ...wrong.map((setting) => describeWrong(setting, config.store.allowUnsafe))]
}

function describeRight(right: readonly RedisSetting[]): Finding[] {
  const byNode = Map.groupBy(right, ({ node }) => node)
  return [...byNode].map(([node, settings]) =>
    ok(check, `${node}: ${settings.map(({ setting, value }) => `${setting} ${value}`).join(', ')}`),
  )
}

function describeWrong({ node, setting, value, required, mend }: RedisSetting, isAllowed: boolean): Finding {
  // Without the functions of Redis 7 nothing works; the others `store.allow_unsafe` puts up with.
  const level = isAllowed && setting !== 'redis_version' ? warn : fail
  return level(check, `${node}: ${setting} is ${value}, must be ${required}`, mend)
}

/** As the services read: through the same scripts, so with the same permissions. */
async function reads(config: Config): Promise<Finding[]> {
  const store = await openStore({ ...reach(config), allowUnsafe: true })
  try {
    const timesMs: number[] = []
    for (let n = 0; n < limits.timedReads; n++) {
      const startedMs = performance.now()
      await store.get([keyOf(0, 'doctor')])
      timesMs.push(performance.now() - startedMs)
    }
    const medianMs = timesMs.toSorted((a, b) => a - b)[Math.floor(timesMs.length / 2)]!
    const what = `a read takes ${medianMs.toFixed(1)} ms`
    if (medianMs <= limits.slowReadMs) return [ok(check, what)]
    return [warn(check, what, 'every introspection takes as long: bring the services and Redis nearer together')]
  } finally {
    await store.close()
  }
}

/** What the services do not ask: clocks, replicas, and whether the disk takes what is written. */
async function nodes({ loaded: { config }, now, signal }: Patient): Promise<Finding[]> {
  const { url, tls, waitReplicas } = config.store
  const options = { url, tls: readTls(tls), timeoutMs: limits.checkMs / 2, signal }
  const found = await visitRedis(options, async (node) => [
    await compareClocks(`Redis ${node.address}`, now, node.timeMs),
    ...replicas(node, waitReplicas),
    ...disk(node),
  ])
  return found.flat()
}

function replicas({ address, info }: RedisNode, wanted: number): Finding[] {
  if (wanted === 0) return []
  const connected = Number(info.get('connected_slaves') ?? 0)
  const what = `${address} has ${connected} replicas, store.wait_replicas is ${wanted}`
  if (connected < wanted)
    return [fail(check, what, 'nothing is acknowledged so: connect replicas, or lower store.wait_replicas')]
  // WAITAOF came with Redis 7.2.
  const [major = 0, minor = 0] = (info.get('redis_version') ?? '').split('.').map(Number)
  const hasWaitAof = major > 7 || (major === 7 && minor >= 2)
  const hint = `they confirm what is in their memory; redis-cli WAITAOF 1 ${wanted} 1000 tells whether it is on their disks`
  return [ok(check, what, hasWaitAof ? hint : undefined)]
}

function disk({ address, info }: RedisNode): Finding[] {
  if ((info.get('aof_last_write_status') ?? 'ok') === 'ok') return []
  return [
    fail(
      check,
      `${address} could not write to its disk`,
      'make room on that disk, or mend it; Redis refuses writes until then',
    ),
  ]
}
