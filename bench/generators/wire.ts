// Reads of protobuf's wire format just what tells a right answer from a wrong one; a whole decode for each answer would
// make the generator the bottleneck. Proto3 leaves out what is false or zero, and writers keep to the order of fields.

/** `active` of an IntrospectResponse (field 1, varint 1) that begins here. */
const isActiveAt = (bytes: Buffer, at: number): boolean => bytes[at] === 0x08 && bytes[at + 1] === 0x01

export const isActiveAnswer = (bytes: Buffer): boolean => isActiveAt(bytes, 0)

/** A varint of up to 28 bits: its value, and where it ends. */
function varint(bytes: Buffer, at: number): [value: number, end: number] {
  let value = 0
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = bytes[at++] ?? 0
    value |= (byte & 0x7f) << shift
    if (byte < 0x80) break
  }
  return [value, at]
}

/** How many active answers a BatchIntrospectResponse holds; -1 when one is not. */
export function activeAnswersIn(bytes: Buffer): number {
  let count = 0
  for (let at = 0; at < bytes.length; count++) {
    if (bytes[at] !== 0x0a) return -1
    const [length, start] = varint(bytes, at + 1)
    if (!isActiveAt(bytes, start)) return -1
    at = start + length
  }
  return count
}

/** The id of a StreamIntrospectResponse (field 1), and whether its response (field 2) is active. */
export function streamAnswer(bytes: Buffer): { id: number; active: boolean } {
  if (bytes[0] !== 0x08) return { id: 0, active: false }
  const [id, after] = varint(bytes, 1)
  if (bytes[after] !== 0x12) return { id, active: false }
  const [, start] = varint(bytes, after + 1)
  return { id, active: isActiveAt(bytes, start) }
}
