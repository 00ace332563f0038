// Follows Countersign's events from a program of its own: node consume.mjs [SUBJECT]
// Knows NATS, and proto/countersign/events/v1/events.proto; nothing of Countersign's code.
import { fileURLToPath } from 'node:url'
import { AckPolicy, jetstream, jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import protobuf from 'protobufjs'

// nats://[user:password@]host:port; a .creds file or TLS would be options of connect below.
const { host, username, password } = new URL(process.env.NATS_URL ?? 'nats://localhost:4222')
const consumerName = process.env.CONSUMER_NAME ?? 'example'
const subject = process.argv[2] ?? 'countersign.v1.*.token.>'
const stream = 'COUNTERSIGN_EVENTS'

const contract = fileURLToPath(new URL('../../proto/countersign/events/v1/events.proto', import.meta.url))
const Event = (await protobuf.load(contract)).lookupType('countersign.events.v1.Event')

const connection = await connect({
  servers: host,
  name: `countersign-${consumerName}`,
  // The client's own two minutes would leave a dead connection unnoticed for as long.
  pingInterval: 10_000,
  ...(username !== '' && { user: decodeURIComponent(username), pass: decodeURIComponent(password) }),
})
const manager = await jetstreamManager(connection)
// Durable: what happens while this program is down waits for it, as long as the stream keeps it (bus.max_age).
await manager.consumers.add(stream, {
  durable_name: consumerName,
  filter_subject: subject,
  ack_policy: AckPolicy.Explicit,
  ack_wait: 30_000_000_000, // nanoseconds
})
const consumer = await jetstream(connection).consumers.get(stream, consumerName)
const messages = await consumer.consume({ max_messages: 100 })
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => messages.stop())

// An event may come more than once. A real consumer keeps the ids where it keeps its results, in the same transaction.
const seen = new Set()
for await (const message of messages) {
  const id = message.headers?.get('ce-id')
  if (!seen.has(id)) {
    const event = Event.toObject(Event.decode(message.data), { longs: Number, enums: String })
    console.log(JSON.stringify(event))
    seen.add(id)
  }
  // Only now: had this program died before, the event would come again.
  message.ack()
}
await connection.drain()
