import { identifierLimits } from './limits.ts'

/** Event ids as bytes, in as many parts as the bound on a message asks for. */
export function encodeIdentifiers(eventIds: string[], mostBytes = identifierLimits.bytesPerMessage): Uint8Array[] {
  const parts: Uint8Array[] = []
  let lines: string[] = []
  let bytes = 0
  for (const id of eventIds) {
    const size = Buffer.byteLength(id) + 1
    if (bytes + size > mostBytes && lines.length > 0) {
      parts.push(Buffer.from(lines.join('\n')))
      lines = []
      bytes = 0
    }
    lines.push(id)
    bytes += size
  }
  if (lines.length > 0) parts.push(Buffer.from(lines.join('\n')))
  return parts
}

export const decodeIdentifiers = (bytes: Uint8Array): string[] =>
  bytes.length === 0 ? [] : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString().split('\n')
