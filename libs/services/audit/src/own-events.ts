import { encodeEvent, type Millis } from '@countersign/contracts'
import { ActorKind, Outcome, type Event } from '@countersign/contracts/events'
import { createHash } from 'node:crypto'
import type { Poison } from './intake.ts'
import type { Gap, JournalRecord } from './journal/port.ts'
import { maxParkedTextCharacters } from './limits.ts'

/** The same id for the same matter, so that it is recorded once, whoever records it how often. */
function idOf(type: string, ...parts: (string | Uint8Array)[]): string {
  const hash = createHash('sha256').update(type)
  for (const part of parts) hash.update(`\0${part.length}\0`).update(part)
  return `${hash.digest('hex').slice(0, 32)}:0`
}

type Own = Pick<Event, 'id' | 'type' | 'reason' | 'attributes'> & Partial<Pick<Event, 'subject' | 'outcome'>>

function recordOf(event: Own, at: Millis): JournalRecord {
  const whole: Event = {
    time: at,
    revision: '',
    sequence: 0,
    partition: 0,
    actor: { kind: ActorKind.SYSTEM, id: 'audit', address: '', userAgent: '' },
    subject: '',
    clientId: '',
    grantId: '',
    tokenFingerprint: '',
    scopes: [],
    outcome: Outcome.FAILURE,
    traceparent: '',
    ...event,
  }
  return { event: whole, bytes: encodeEvent(whole), receivedAt: at }
}

const short = (text: string): string => text.slice(0, maxParkedTextCharacters).toWellFormed()

/** `audit.event_parked`: what could not be journaled, and where it lies. */
export function parkedRecord({ message, defect }: Poison, at: Millis): JournalRecord {
  const { id, subject, data } = message
  const sha256 = createHash('sha256').update(data).digest('hex')
  const attributes = { message_id: short(id), subject: short(subject), bytes: String(data.length), sha256 }
  const type = 'audit.event_parked'
  return recordOf({ id: idOf(type, subject, id, data), type, reason: defect, attributes }, at)
}

/** The id of the record that tells of a gap: the same for as long as any of it is open. */
export const gapRecordId = ({ partition, epoch, openedBy }: Gap): string =>
  idOf('audit.gap_detected', String(partition), epoch, String(openedBy))

/** `audit.gap_detected`: which events are missing, as it was when the alarm was raised. */
export function gapRecord(gap: Gap, at: Millis): JournalRecord {
  const { partition, epoch, first, last, since } = gap
  const attributes = {
    partition: String(partition),
    epoch,
    first: String(first),
    last: String(last),
    since: new Date(since).toISOString(),
  }
  return recordOf({ id: gapRecordId(gap), type: 'audit.gap_detected', reason: 'events_missing', attributes }, at)
}

/** What of somebody who is forgotten was redacted: how many records, and between which. */
export interface Redacted {
  subject: string
  records: number
  first: number | undefined
  last: number | undefined
}

/** `audit.redacted`: one for each who is forgotten, however often it is made. */
export function redactionRecord({ subject, records, first, last }: Redacted, at: Millis): JournalRecord {
  const attributes: Record<string, string> = { records: String(records) }
  if (first !== undefined) attributes.first_index = String(first)
  if (last !== undefined) attributes.last_index = String(last)
  const type = 'audit.redacted'
  const outcome = Outcome.SUCCESS
  return recordOf({ id: idOf(type, subject), type, subject, outcome, reason: 'account_deleted', attributes }, at)
}
