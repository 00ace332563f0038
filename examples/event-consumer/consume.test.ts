import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Bus } from '@countersign/bus'
import { openBus } from '@countersign/bus/open'
import { encodeEvent, messageOf } from '@countersign/contracts'
import { ActorKind, Outcome, type Event } from '@countersign/contracts/events'
import { startNats, type NatsServer } from '@countersign/servers'

let nats: NatsServer
let bus: Bus
beforeAll(async () => {
  nats = await startNats()
  bus = await openBus({ url: nats.url, name: 'example-test' })
  while (bus.state() === 'down') await new Promise((resolve) => setTimeout(resolve, 20))
})
afterAll(async () => {
  await bus.close()
  await nats.stop()
})

const commitId = '0123456789abcdef0123456789abcdef'
const event = (n: number, type: string): Event => ({
  id: `${commitId}:${n}`,
  type,
  time: 1_700_000_000_000 + n,
  revision: '',
  sequence: 0,
  partition: 0,
  actor: { kind: ActorKind.CLIENT, id: 'batch', address: '192.0.2.7', userAgent: '' },
  subject: 'batch',
  clientId: 'batch',
  grantId: 'standing.batch',
  tokenFingerprint: 'Zk3l9qT0b2mQ4yX7Wv1uPA',
  scopes: ['read:reports'],
  outcome: Outcome.SUCCESS,
  reason: '',
  traceparent: '',
  attributes: {},
})
const publish = (told: Event, sequence: number) =>
  bus.publish(messageOf(told, encodeEvent(told), { revision: `0:${commitId}:0`, sequence }))

const children: ChildProcess[] = []
afterAll(() => children.forEach((child) => child.kill('SIGKILL')))

function consume() {
  const program = fileURLToPath(new URL('./consume.mjs', import.meta.url))
  const env = { ...process.env, NATS_URL: nats.url }
  const child = spawn(process.execPath, [program], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  return {
    next: async () => JSON.parse((await lines.next()).value as string) as Record<string, unknown>,
    async stop() {
      child.kill('SIGTERM')
      return (await once(child, 'exit'))[0] as number
    },
  }
}

test('another program follows the events, and goes on where it stopped', async () => {
  publish(event(0, 'token.issued'), 1)
  publish(event(1, 'client.changed'), 2) // not among the subjects it asks for
  const first = consume()
  expect(await first.next()).toMatchObject({
    id: `${commitId}:0`,
    type: 'token.issued',
    revision: `0:${commitId}:0`,
    sequence: 1,
    clientId: 'batch',
    outcome: 'OUTCOME_SUCCESS',
    actor: { kind: 'ACTOR_KIND_CLIENT', id: 'batch', address: '192.0.2.7' },
  })
  expect(await first.stop()).toBe(0)

  publish(event(2, 'token.revoked'), 3)
  const second = consume()
  expect(await second.next()).toMatchObject({ id: `${commitId}:2`, type: 'token.revoked', sequence: 3 })
  expect(await second.stop()).toBe(0)
})
