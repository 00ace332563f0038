import { subjectPrefix } from '@countersign/contracts'
import {
  AckPolicy,
  DiscardPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  jetstream,
  StorageType,
  type Consumer,
  type JetStreamManager,
} from '@nats-io/jetstream'
import { nanos, type NatsConnection } from '@nats-io/transport-node'
import { natsLimits } from '../limits.ts'
import type { NatsOptions } from './options.ts'

export const streamName = 'COUNTERSIGN_EVENTS'

const isCode = (error: unknown, code: number): boolean => error instanceof JetStreamApiError && error.code === code

const streamConfig = ({ replicas, maxAgeMs, maxBytes }: NatsOptions) => ({
  subjects: [`${subjectPrefix}.>`],
  discard: DiscardPolicy.Old,
  max_age: nanos(maxAgeMs ?? natsLimits.maxAgeMs),
  max_bytes: maxBytes ?? natsLimits.maxBytes,
  duplicate_window: nanos(Math.min(natsLimits.duplicateWindowMs, maxAgeMs ?? natsLimits.maxAgeMs)),
  num_replicas: replicas ?? 1,
})

const differs = (actual: object, wanted: object): boolean =>
  Object.entries(wanted).some(([key, value]) => JSON.stringify(Reflect.get(actual, key)) !== JSON.stringify(value))

/** Makes the stream when it is not there. */
export async function ensureStream(manager: JetStreamManager, options: NatsOptions): Promise<void> {
  try {
    await manager.streams.info(streamName)
  } catch (error) {
    if (!isCode(error, JetStreamApiCodes.StreamNotFound)) throw error
    await manager.streams.add({ name: streamName, storage: StorageType.File, ...streamConfig(options) })
  }
}

/** Gives the stream the limits asked for, should it have others. */
export async function configureStream(manager: JetStreamManager, options: NatsOptions): Promise<void> {
  const wanted = streamConfig(options)
  const { config } = await manager.streams.info(streamName)
  if (differs(config, wanted)) await manager.streams.update(streamName, wanted)
}

/** The durable consumer of this name, made when it is not there. */
export async function ensureConsumer(
  connection: NatsConnection,
  manager: JetStreamManager,
  name: string,
): Promise<Consumer> {
  const wanted = {
    ack_wait: nanos(natsLimits.acknowledgeMs),
    max_ack_pending: natsLimits.unacknowledgedMessages,
  }
  const { consumers } = jetstream(connection, { timeout: natsLimits.managementMs })
  try {
    const consumer = await consumers.get(streamName, name)
    const { config } = await consumer.info(true)
    if (differs(config, wanted)) await manager.consumers.update(streamName, name, wanted)
    return consumer
  } catch (error) {
    if (!isCode(error, JetStreamApiCodes.ConsumerNotFound)) throw error
    // Not AckPolicy.All: it would take along what went to a connection that died, and while the stream knows such an
    // event as a duplicate, the relay could not bring it back.
    await manager.consumers.add(streamName, { durable_name: name, ack_policy: AckPolicy.Explicit, ...wanted })
    return consumers.get(streamName, name)
  }
}
