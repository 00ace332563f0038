import { BinaryWriter } from '@bufbuild/protobuf/wire'
import {
  IntrospectResponse,
  Outcome,
  StreamIntrospectResponse,
  WatchResponse,
  type BatchIntrospectResponse,
  type IntrospectionService,
} from '@countersign/contracts/introspection'

/** Tags of fields whose messages are put in as bytes, in introspection.proto. */
const batchResponses = (1 << 3) | 2
const streamId = (1 << 3) | 0
const streamResponse = (2 << 3) | 2
const streamOutcomes = (4 << 3) | 2
const outcomeResponse = (1 << 3) | 2

function memo<T extends object>(encode: (message: T) => Uint8Array): (message: T) => Buffer {
  const encoded = new WeakMap<T, Buffer>()
  return (message) => {
    const known = encoded.get(message)
    if (known) return known
    const bytes = encode(message)
    const made = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    encoded.set(message, made)
    return made
  }
}

/** The contract's definition, with answers that are given often encoded once. */
export function encodedOnce(definition: typeof IntrospectionService) {
  const response = memo((message: IntrospectResponse) => IntrospectResponse.encode(message).finish())
  const watch = memo((message: WatchResponse) => WatchResponse.encode(message).finish())
  const batch = ({ responses }: BatchIntrospectResponse): Buffer => {
    const writer = new BinaryWriter()
    for (const each of responses) writer.uint32(batchResponses).bytes(response(each))
    return Buffer.from(writer.finish())
  }

  const stream = (message: StreamIntrospectResponse): Buffer => {
    const { id, outcome: given, outcomes } = message
    const writer = new BinaryWriter().uint32(streamId).uint64(id)
    if (given?.$case === 'response') writer.uint32(streamResponse).bytes(response(given.value))
    else if (given) return Buffer.from(StreamIntrospectResponse.encode(message).finish())
    for (const each of outcomes) {
      writer.uint32(streamOutcomes)
      if (each.outcome?.$case === 'response') {
        writer.fork().uint32(outcomeResponse).bytes(response(each.outcome.value)).join()
      } else writer.bytes(Outcome.encode(each).finish())
    }
    return Buffer.from(writer.finish())
  }

  return {
    ...definition,
    introspect: { ...definition.introspect, responseSerialize: response },
    batchIntrospect: { ...definition.batchIntrospect, responseSerialize: batch },
    streamIntrospect: { ...definition.streamIntrospect, responseSerialize: stream },
    watch: { ...definition.watch, responseSerialize: watch },
  }
}
