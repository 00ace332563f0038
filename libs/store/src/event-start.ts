/** What the bytes of an event begin with (field 1 of protobuf), by which the outbox knows it without decoding it. */
export function eventStart(eventId: string): Buffer {
  const id = Buffer.from(eventId)
  // Longer lengths have two bytes: no id that a commit may have.
  return Buffer.concat([Uint8Array.of((1 << 3) | 2, Math.min(id.length, 0x80)), id])
}
