import { styleText } from 'node:util'
import type { Surroundings } from '../surroundings.ts'
import { printable } from '../text.ts'
import type { AuditEvent } from './source.ts'

/** One event on one line, for people. */
export function eventLine(event: AuditEvent, { stdout }: Pick<Surroundings, 'stdout'>): string {
  const { index, time, type, outcome } = event
  const colour = outcome === 'failure' ? 'red' : 'cyan'
  const name = styleText(colour, printable(type).padEnd(14), { stream: stdout })
  const details = detailsOf(event).flatMap(([key, value]) => (value === '' ? [] : [`${key}=${quoted(value)}`]))
  return (
    `${String(index).padStart(6)}  ${printable(String(time ?? ''))}  ${name}  ${details.join(' ')}`.trimEnd() + '\n'
  )
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '')

function detailsOf(event: AuditEvent): (readonly [string, string])[] {
  const { actor, scopes } = event
  const { kind, id, address } = (actor ?? {}) as { kind?: unknown; id?: unknown; address?: unknown }
  const by = [text(kind), text(id)].filter((part) => part !== '').join(':')
  return [
    ['outcome', event.outcome === 'failure' ? 'failure' : ''],
    ['subject', text(event.subject)],
    ['client', text(event.client_id)],
    ['by', by],
    ['from', text(address)],
    ['scope', Array.isArray(scopes) ? scopes.join(' ') : ''],
    ['token', text(event.token_fingerprint)],
    ['reason', text(event.reason)],
  ]
}

/** In quotes where one could not tell otherwise where it ends. */
const quoted = (value: string): string => printable(/[\s"=]/.test(value) ? JSON.stringify(value) : value)
