import {
  encodeEvent,
  messageOf,
  type FactKind,
  type FactPush,
  type Message,
  type Partition,
} from '@countersign/contracts'
import { ActorKind, Outcome, type Event } from '@countersign/contracts/events'
import { newCommitId, type Commit } from '@countersign/store'

const eventOf = (id: string, partition: Partition, time: number): Event => ({
  id,
  type: 'token.issued',
  time,
  revision: '',
  sequence: 0,
  partition,
  actor: { kind: ActorKind.CLIENT, id: 'batch', address: '127.0.0.1', userAgent: 'curl/8.0' },
  subject: 'batch',
  clientId: 'batch',
  grantId: 'client:batch',
  tokenFingerprint: id.slice(0, 22),
  scopes: ['read:reports'],
  outcome: Outcome.SUCCESS,
  reason: '',
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  attributes: { lifetime: '300' },
})

/** A commit of nothing but events. */
export function commitOf(events: number, partition: Partition = 0, time = Date.now()): Commit {
  const id = newCommitId()
  const made = Array.from({ length: events }, (_, n) => eventOf(`${id}:${n}`, partition, time))
  return { id, partition, checks: [], puts: [], deletes: [], facts: [], events: made }
}

/** A message as a publishing store makes them. */
export function newMessage(sequence = 1): Message {
  const event = eventOf(`${newCommitId()}:0`, 0, Date.now())
  return messageOf(event, encodeEvent(event), { revision: '0:e:0', sequence })
}

export const newMessages = (count: number): Message[] => Array.from({ length: count }, (_, n) => newMessage(n + 1))

/** An announcement of one fact of each kind, and of one that is not known yet. */
export function newPush(sequence = 6): FactPush {
  const kinds = ['token', 'grant', 'session', 'subject', 'client', 'flock' as FactKind] as const
  const facts = kinds.map((kind) => ({ kind, id: `${kind} ünïcode 💥` }))
  const [tip, previousTip] = [newCommitId().slice(0, 16), newCommitId().slice(0, 16)]
  return { revision: `63:0123456789abcdef:${sequence}`, tip, previousTip, facts }
}
