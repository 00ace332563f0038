import type { Bus } from '@countersign/bus'
import { parseBasic } from '@countersign/chassis'
import { Failure } from '@countersign/contracts'
import {
  auditRoutes,
  createJournaling,
  createTail,
  type Journal,
  type Journaling,
  type Tail,
} from '@countersign/service-audit'
import type { Request } from 'express'
import type { Foundation } from './foundation.ts'
import type { Part } from './part.ts'

/** The journal's writer, and what may be read of it. */
export async function assembleAudit(foundation: Foundation, journal: Journal, bus: Bus): Promise<Part> {
  const { log, now, authentication, metrics } = foundation

  async function authorize({ headers, ip }: Request): Promise<void> {
    const basic = parseBasic(headers.authorization)
    if (!basic) throw new Failure('invalid_client', 'client authentication is required')
    const client = await authentication.confidential(basic, ip ?? '')
    if (!client.readsAudit) {
      throw new Failure('access_denied', 'this client may not read the audit journal: it lacks `audit: true`')
    }
  }

  const tail = createTail({ journal })
  const journaling = await createJournaling({ bus, journal, log, now, onAppended: (head) => tail.notify(head) })
  measure(metrics, journaling, tail)
  return {
    routes: [],
    routers: [auditRoutes({ journal, tail, authorize, log })],
    rpc: [],
    ready: { journal: async () => void (await journal.head()) },
    drain: () => tail.close(),
    close: () => journaling.close(),
  }
}

function measure({ gauge, counter }: Foundation['metrics'], { stats }: Journaling, tail: Tail): void {
  gauge('countersign_journal_events', 'Events in the audit journal.', () => stats().head)
  gauge(
    'countersign_journal_lag_seconds',
    'Age of the newest event when it was journaled.',
    () => stats().lagMs / 1_000,
  )
  gauge('countersign_journal_gaps', 'Gaps in the events of a partition that are an alarm.', () => stats().gapsOpen)
  gauge('countersign_journal_available', '1 while the journal can be written.', () => Number(stats().available))
  gauge('countersign_audit_streams', 'Live tails being read.', () => tail.followers())
  counter('countersign_journal_appended_total', 'Events journaled by this process.', () => stats().appended)
  counter('countersign_journal_duplicates_total', 'Events that came again.', () => stats().duplicates)
  counter('countersign_journal_parked_total', 'Messages that are no events.', () => stats().parked)
}
