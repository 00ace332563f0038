import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HttpLimits } from '../limits.ts'

const noBody = Buffer.alloc(0)

/** Whether a request says that it has a body. */
export const hasBody = ({ headers }: IncomingMessage): boolean => {
  const length = headers['content-length']
  return (length !== undefined && length !== '0') || headers['transfer-encoding'] !== undefined
}

/**
 * Reads a body to its end. `onEnd` gets undefined as soon as it is larger than `maxBytes`, and nothing more is read then;
 * `onGone` is called instead when the peer goes away.
 */
export function readBody(
  incoming: IncomingMessage,
  maxBytes: number,
  onEnd: (body: Buffer | undefined) => void,
  onGone: () => void,
): void {
  if (Number(incoming.headers['content-length'] ?? 0) > maxBytes) return onEnd(undefined)
  let first: Buffer = noBody
  let chunks: Buffer[] | undefined
  let bytes = 0
  let isOver = false
  incoming.on('data', (chunk: Buffer) => {
    if (isOver) return
    bytes += chunk.length
    if (bytes > maxBytes) {
      isOver = true
      incoming.pause()
      return onEnd(undefined)
    }
    if (first.length === 0) first = chunk
    else (chunks ??= [first]).push(chunk)
  })
  incoming.once('end', () => {
    if (isOver) return
    isOver = true
    onEnd(chunks === undefined ? first : Buffer.concat(chunks, bytes))
  })
  incoming.once('close', () => {
    if (isOver) return
    isOver = true
    onGone()
  })
}

/**
 * Ends a response whose request is not read to its end. Closing at once would reset the connection and the answer with
 * it, so what still comes is thrown away for a little while.
 */
export function endAndLinger(
  incoming: IncomingMessage,
  response: ServerResponse,
  body: string | Buffer | undefined,
  { lingerBytes, lingerMs }: Pick<HttpLimits, 'lingerBytes' | 'lingerMs'>,
): void {
  let bytes = 0
  const end = () => {
    clearTimeout(timer)
    response.end()
  }
  const timer = setTimeout(end, lingerMs)
  if (body !== undefined && body.length > 0) response.write(body)
  else response.flushHeaders()
  incoming.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > lingerBytes) end()
  })
  incoming.once('close', end)
  incoming.once('end', end)
  incoming.resume()
}
