import { connect, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2'

/** gRPC's length-prefixed message. */
export function frame(message: Uint8Array, isCompressed = false): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt8(isCompressed ? 1 : 0, 0)
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}

/** One call over bare HTTP/2, below what any gRPC client would let through. */
export const rawCall = (
  session: ClientHttp2Session,
  path: string,
  headers: Record<string, string> = {},
): ClientHttp2Stream => {
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  })
  return stream.on('error', () => undefined)
}

export const rawSession = (target: string): ClientHttp2Session => connect(`http://${target}`)
