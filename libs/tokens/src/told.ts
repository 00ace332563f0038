import type { EventType, Millis, Partition } from '@countersign/contracts'
import { ActorKind, Outcome, type Event } from '@countersign/contracts/events'

/** Who asked, and from where; goes into the events of what they did. */
export interface Asker {
  readonly kind: ActorKind
  readonly id: string
  readonly address: string
  readonly userAgent: string
  readonly traceparent: string
}

/** The service itself, on its own account. */
export const system: Asker = { kind: ActorKind.SYSTEM, id: 'countersign', address: '', userAgent: '', traceparent: '' }

export interface Told {
  type: EventType
  partition: Partition
  subject?: string
  clientId?: string
  grantId?: string
  tokenFingerprint?: string
  scopes?: string[]
  reason?: string
  outcome?: Outcome
  attributes?: Record<string, string>
}

/** The event that a commit tells; `n` counts the events of that commit from 0. */
export const eventOf = (commitId: string, n: number, asker: Asker, now: Millis, told: Told): Event => ({
  id: `${commitId}:${n}`,
  type: told.type,
  time: now,
  revision: '',
  sequence: 0,
  partition: told.partition,
  actor: { kind: asker.kind, id: asker.id, address: asker.address, userAgent: asker.userAgent },
  subject: told.subject ?? '',
  clientId: told.clientId ?? '',
  grantId: told.grantId ?? '',
  tokenFingerprint: told.tokenFingerprint ?? '',
  scopes: told.scopes ?? [],
  outcome: told.outcome ?? Outcome.SUCCESS,
  reason: told.reason ?? '',
  traceparent: asker.traceparent,
  attributes: told.attributes ?? {},
})
