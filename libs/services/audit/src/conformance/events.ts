import { encodeEvent, formatRevision, stampedBytes } from '@countersign/contracts'
import { ActorKind, Outcome, type Event } from '@countersign/contracts/events'
import type { JournalRecord } from '../journal/port.ts'

export const epochOf = (digit: string): string => digit.repeat(32)

/** The n-th event of a store's history; what is given takes the place of the usual. */
export function eventOf(n: number, given: Partial<Event> & { epoch?: string } = {}): Event {
  const { epoch = epochOf('e'), partition = 0, ...rest } = given
  return {
    id: `${epoch.slice(0, 4)}${partition.toString(16).padStart(4, '0')}${n.toString(16).padStart(24, '0')}:0`,
    type: 'token.issued',
    time: 1_750_000_000_000 + n,
    revision: formatRevision({ partition, epoch, sequence: 7 }),
    sequence: n,
    partition,
    actor: { kind: ActorKind.CLIENT, id: 'batch', address: '192.0.2.7', userAgent: 'curl/8.14' },
    subject: 'batch',
    clientId: 'batch',
    grantId: 'grant-of-batch',
    tokenFingerprint: `fingerprint-${n}`,
    scopes: ['read:reports'],
    outcome: Outcome.SUCCESS,
    reason: '',
    traceparent: '',
    attributes: {},
    ...rest,
  }
}

/** The bytes as the bus carries them. */
export function bytesOf(event: Event): Uint8Array {
  const { revision, sequence } = event
  return stampedBytes(encodeEvent({ ...event, revision: '', sequence: 0 }), { revision, sequence })
}

export const recordOf = (n: number, given: Parameters<typeof eventOf>[1] = {}, receivedAt = 1_000): JournalRecord => {
  const event = eventOf(n, given)
  return { event, bytes: bytesOf(event), receivedAt }
}

export const recordsOf = (first: number, last: number, given: Parameters<typeof eventOf>[1] = {}): JournalRecord[] =>
  Array.from({ length: last - first + 1 }, (_, n) => recordOf(first + n, given))
