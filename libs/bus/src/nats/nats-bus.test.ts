import { jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { afterAll, beforeAll } from '@jest/globals'
import { startNats, type NatsServer } from '@countersign/servers'
import { busConformance } from '../conformance/bus-conformance.ts'
import { eventually } from '../conformance/eventually.ts'
import { openNatsBus } from './nats-bus.ts'
import { streamName } from './stream.ts'

let server: NatsServer
beforeAll(async () => void (server = await startNats()))
afterAll(() => server.stop())

/** Consumers are new in each test, and would be given what earlier tests left. */
async function emptyStream(): Promise<void> {
  const connection = await connect({ servers: server.url })
  await (await jetstreamManager(connection)).streams.purge(streamName)
  await connection.close()
}

busConformance('the NATS bus', async () => {
  const [near, far] = ['near', 'far'].map((name) => openNatsBus({ servers: [server.url], name }))
  await eventually(() => near!.state() === 'up' && far!.state() === 'up')
  await emptyStream()
  return { near: near!, far: far! }
})
