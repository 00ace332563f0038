import { ActorKind, Outcome, type Actor } from '@countersign/contracts/events'
import type { JournalEntry } from './journal/port.ts'

export const outcomeNames: Readonly<Record<string, Outcome>> = { success: Outcome.SUCCESS, failure: Outcome.FAILURE }

const outcomes = new Map(Object.entries(outcomeNames).map(([name, outcome]) => [outcome, name]))
const actorKinds = new Map<ActorKind, string>([
  [ActorKind.CLIENT, 'client'],
  [ActorKind.PERSON, 'person'],
  [ActorKind.OPERATOR, 'operator'],
  [ActorKind.SYSTEM, 'system'],
])

const orAbsent = (text: string): string | undefined => (text === '' ? undefined : text)

function actorOf({ kind, id, address, userAgent }: Actor): object | undefined {
  const kindName = actorKinds.get(kind)
  const shown = {
    kind: kindName,
    id: orAbsent(id),
    address: orAbsent(address),
    user_agent: orAbsent(userAgent),
  }
  return Object.values(shown).some((value) => value !== undefined) ? shown : undefined
}

/** An entry as it is shown; what is empty is left out, but for the index, the partition and the time. */
function shownEntry({ index, event, redactedAt }: JournalEntry): object {
  return {
    index,
    id: event.id,
    type: event.type,
    time: new Date(event.time).toISOString(),
    revision: orAbsent(event.revision),
    sequence: event.sequence === 0 ? undefined : event.sequence,
    partition: event.partition,
    actor: event.actor && actorOf(event.actor),
    subject: orAbsent(event.subject),
    client_id: orAbsent(event.clientId),
    grant_id: orAbsent(event.grantId),
    token_fingerprint: orAbsent(event.tokenFingerprint),
    scopes: event.scopes.length === 0 ? undefined : event.scopes,
    outcome: outcomes.get(event.outcome),
    reason: orAbsent(event.reason),
    traceparent: orAbsent(event.traceparent),
    attributes: Object.keys(event.attributes).length === 0 ? undefined : event.attributes,
    redacted: redactedAt === undefined ? undefined : true,
  }
}

/**
 * What JSON leaves as it is, and a terminal or a page acts upon or hides: DEL and the C1 controls, line separators,
 * bidirectional controls, invisible and interlinear characters, tags.
 */
const deceptive =
  /[\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffc]|\udb40[\udc00-\udfff]/g

const escaped = (text: string): string =>
  text.replace(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** JSON on one line, in which nothing can deceive the eye or the terminal. */
const safeJson = (value: object): string => JSON.stringify(value).replace(deceptive, escaped)

export const entryJson = (entry: JournalEntry): string => safeJson(shownEntry(entry))
