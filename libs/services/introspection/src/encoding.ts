import { WatchResponse, type IntrospectionService } from '@countersign/contracts/introspection'

/** The contract's definition, in which a push that goes to many is encoded once. */
export function encodedOnce(definition: typeof IntrospectionService) {
  const encoded = new WeakMap<WatchResponse, Buffer>()
  const responseSerialize = (message: WatchResponse): Buffer => {
    const known = encoded.get(message)
    if (known) return known
    const bytes = Buffer.from(WatchResponse.encode(message).finish())
    if (message.say?.$case === 'push') encoded.set(message, bytes)
    return bytes
  }
  return { ...definition, watch: { ...definition.watch, responseSerialize } }
}
