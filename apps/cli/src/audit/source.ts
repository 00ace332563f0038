import { Failure } from '@countersign/contracts'
import { urlAt } from '../client.ts'
import { call, type Credentials } from '../http-call.ts'
import { limits } from '../limits.ts'

/** An event as the audit service shows it. */
export interface AuditEvent {
  /** The place in the journal, from 1. */
  readonly index: number
  readonly type: string
  readonly [field: string]: unknown
}

/** Where events come from, and which. */
export interface AuditSource {
  readonly base: URL
  readonly credentials: Credentials
  readonly filter: Readonly<Record<'type' | 'subject' | 'client_id', string | undefined>>
}

/** @throws Failure `internal` when it is no event */
export function asEvent(value: unknown): AuditEvent {
  const { index, type } = (value ?? {}) as { index?: unknown; type?: unknown }
  if (!Number.isSafeInteger(index) || typeof type !== 'string') {
    throw new Failure('internal', 'the audit service answers with something that is no event')
  }
  return value as AuditEvent
}

/** The newest events that the filter lets through, oldest first. @throws Failure */
export async function latestEvents({ base, credentials, filter }: AuditSource, most: number): Promise<AuditEvent[]> {
  const found: AuditEvent[] = []
  let cursor: string | undefined
  do {
    const limit = String(Math.min(most - found.length, limits.pageEvents))
    const url = urlAt(base, '/audit/v1/events', { ...filter, order: 'desc', limit, cursor })
    const { body } = await call({ url, credentials })
    const { events, next } = (body ?? {}) as { events?: unknown; next?: unknown }
    if (!Array.isArray(events)) throw new Failure('internal', `${base.origin} answers with no events`)
    found.push(...events.map(asEvent))
    // A page may be empty and have a next one: the server looks at so many records at a time.
    cursor = typeof next === 'string' ? next : undefined
  } while (cursor !== undefined && found.length < most)
  return found.reverse()
}
