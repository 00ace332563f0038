import { decodeEvent, parseRevision, type Message, type Millis } from '@countersign/contracts'
import type { Event } from '@countersign/contracts/events'
import type { JournalRecord } from './journal/port.ts'
import { maxEventBytes, maxFieldCharacters, maxIdCharacters, maxTimeMs, maxTypeCharacters } from './limits.ts'

/** Why a message is parked, in a word for machines. */
export type Defect =
  | 'too_large'
  | 'undecodable'
  | 'bad_id'
  | 'id_differs'
  | 'bad_type'
  | 'bad_time'
  | 'bad_revision'
  | 'field_too_long'
  | 'refused'

export interface Poison {
  message: Message
  defect: Defect
}

const idSyntax = /^[!-~]+$/
const typeSyntax = /^[a-z0-9_]+(\.[a-z0-9_]+)*$/

function defectOf(event: Event, { id, headers }: Message): Defect | undefined {
  if (!idSyntax.test(event.id) || event.id.length > maxIdCharacters) return 'bad_id'
  if (id !== event.id || (headers['ce-id'] ?? id) !== id) return 'id_differs'
  if (!typeSyntax.test(event.type) || event.type.length > maxTypeCharacters) return 'bad_type'
  if (Math.abs(event.time) > maxTimeMs) return 'bad_time'
  const isUnstamped = event.revision === '' && event.sequence === 0
  if (!isUnstamped && parseRevision(event.revision)?.partition !== event.partition) return 'bad_revision'
  const { subject, clientId, grantId, tokenFingerprint, actor } = event
  const searched = [subject, clientId, grantId, tokenFingerprint, actor?.id ?? '']
  return searched.some((field) => field.length > maxFieldCharacters) ? 'field_too_long' : undefined
}

/** Reads a message of the bus: a record for the journal, or what is wrong with it. */
export function take(message: Message, receivedAt: Millis): JournalRecord | Poison {
  const { data } = message
  if (data.length > maxEventBytes) return { message, defect: 'too_large' }
  let event: Event
  try {
    event = decodeEvent(data)
  } catch {
    return { message, defect: 'undecodable' }
  }
  const defect = defectOf(event, message)
  return defect === undefined ? { event, bytes: data, receivedAt } : { message, defect }
}
