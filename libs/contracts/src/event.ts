import { BinaryWriter } from '@bufbuild/protobuf/wire'
import { Event } from './gen/countersign/events/v1/events.ts'
import type { Partition, Revision } from './revision.ts'

/** The kinds of event, with their parts; a subject is `countersign.v1.<partition>.<type>`. */
export const eventTypes = [
  'token.issued',
  'token.refreshed',
  'token.exchanged',
  'token.revoked',
  'token.reuse_detected',
  'grant.created',
  'grant.revoked',
  'session.started',
  'session.ended',
  'logout.notified',
  'logout.failed',
  'login.succeeded',
  'login.failed',
  'consent.given',
  'consent.denied',
  'consent.withdrawn',
  'device.waiting',
  'device.connected',
  'client.created',
  'client.changed',
  'client.deleted',
  'account.created',
  'account.invited',
  'account.changed',
  'account.roles_changed',
  'account.disabled',
  'account.enabled',
  'account.deleted',
  'account.password_changed',
  'account.reset_requested',
  'account.second_factor_added',
  'account.second_factor_removed',
  'account.passkey_added',
  'account.passkey_removed',
  'account.identity_linked',
  'account.identity_unlinked',
  'key.rotated',
  'config.changed',
  'audit.gap_detected',
  'audit.event_parked',
  'audit.redacted',
] as const
export type EventType = (typeof eventTypes)[number]

export const subjectPrefix = 'countersign.v1'
export const subjectOf = (partition: Partition, type: string): string => `${subjectPrefix}.${partition}.${type}`

/** A CloudEvent 1.0 in binary mode: attributes as headers, protobuf as data. */
export interface Message {
  /** The event's id; on NATS also `Nats-Msg-Id`. */
  id: string
  subject: string
  headers: Record<string, string>
  data: Uint8Array
}

/** Where a committed event stands; known only once it is committed. */
export interface Stamp {
  revision: Revision
  /** Dense per partition and epoch, from 1. */
  sequence: number
}

/** Field numbers in events.proto. */
const revisionTag = (4 << 3) | 2
const sequenceTag = (5 << 3) | 0

/**
 * The bytes of an event with its stamp. Protobuf parsers merge what is concatenated (the last value of a field wins),
 * so the bytes that were committed are used as they are.
 */
export function stampedBytes(event: Uint8Array, { revision, sequence }: Stamp): Uint8Array {
  const stamp = new BinaryWriter().uint32(revisionTag).string(revision).uint32(sequenceTag).uint64(sequence).finish()
  const bytes = new Uint8Array(event.length + stamp.length)
  bytes.set(event)
  bytes.set(stamp, event.length)
  return bytes
}

/** What goes on the bus for an event; `event` gives the headers, `bytes` (encoded, not yet stamped) the data. */
export function messageOf(event: Event, bytes: Uint8Array, stamp: Stamp): Message {
  return {
    id: event.id,
    subject: subjectOf(event.partition, event.type),
    headers: {
      'ce-specversion': '1.0',
      'ce-id': event.id,
      'ce-type': `${subjectPrefix}.${event.type}`,
      'ce-source': '/countersign/token-issuer',
      'ce-time': new Date(event.time).toISOString(),
      'ce-datacontenttype': 'application/protobuf',
    },
    data: stampedBytes(bytes, stamp),
  }
}

const encoded = new WeakMap<Event, Uint8Array>()

/** An event's bytes; made once, for the store and the bus alike. What was encoded must not be changed. */
export function encodeEvent(event: Event): Uint8Array {
  const known = encoded.get(event)
  if (known) return known
  const bytes = Event.encode(event).finish()
  encoded.set(event, bytes)
  return bytes
}

/** @throws when the bytes are no event. */
export const decodeEvent = (bytes: Uint8Array): Event => Event.decode(bytes)
