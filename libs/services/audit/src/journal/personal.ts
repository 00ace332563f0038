import { isDeepStrictEqual } from 'node:util'
import { encodeEvent } from '@countersign/contracts'
import { ActorKind, type Event } from '@countersign/contracts/events'
import type { JournalRecord } from './port.ts'

/** Attributes whose values are random ids, numbers, roles and words of the configuration; any other may tell of a person. */
const impersonal: ReadonlySet<string> = new Set([
  'actor',
  'added',
  'attempts',
  'first_index',
  'from',
  'issuer',
  'last_index',
  'provider',
  'records',
  'removed',
  'session',
  'sessions',
])

/** A word for machines; what an operator wrote in words of their own is none. */
const isWord = (reason: string): boolean => /^[\w.:-]*$/.test(reason)

/** The ids of the people that an event tells of: whom it concerns, and who acted. A machine is its own subject. */
export function peopleOf({ subject, clientId, actor }: Event): string[] {
  const acting = actor && actor.kind !== ActorKind.CLIENT ? actor.id : ''
  return [subject === clientId ? '' : subject, acting].filter((id) => id !== '')
}

function withoutPersonal(event: Event, isForgotten: (id: string) => boolean): Event {
  const attributes = Object.fromEntries(Object.entries(event.attributes).filter(([name]) => impersonal.has(name)))
  const { actor } = event
  const kept = { ...event, reason: isWord(event.reason) ? event.reason : '', attributes }
  // Where an operator acted from tells of the operator: deleting an account is no way to hide it.
  if (actor?.kind === ActorKind.OPERATOR && !isForgotten(actor.id)) return kept
  return { ...kept, actor: actor && { ...actor, address: '', userAgent: '' }, traceparent: '' }
}

/**
 * The record without what is personal about those who are forgotten: the address and the program of who acted, the trace,
 * a reason in free words, and attributes that may tell of a person. Undefined when there is nothing of it, so that doing it
 * again changes nothing.
 */
export function redactedRecord(record: JournalRecord, isForgotten: (id: string) => boolean): JournalRecord | undefined {
  const { event } = record
  if (!peopleOf(event).some(isForgotten)) return undefined
  const without = withoutPersonal(event, isForgotten)
  if (isDeepStrictEqual(without, event)) return undefined
  return { ...record, event: without, bytes: encodeEvent(without) }
}
