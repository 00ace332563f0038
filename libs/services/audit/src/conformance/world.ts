import { createInProcessBus } from '@countersign/bus/in-process'
import { encodeEvent, messageOf, type Message } from '@countersign/contracts'
import type { Event } from '@countersign/contracts/events'
import { temporaryFolder } from '@countersign/servers'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createJournaling, type JournalingOptions } from '../consume.ts'
import { openJournal } from '../journal/open.ts'
import type { Journal } from '../journal/port.ts'
import { bytesOf, eventOf } from './events.ts'

/** Waits until it holds; the test's own time-out ends it otherwise. */
export async function until(holds: () => unknown): Promise<void> {
  while (!(await holds())) await sleep(5)
}

/** An event as the bus carries it. */
export function messageFor(event: Event): Message {
  const { revision, sequence } = event
  return messageOf(event, encodeEvent({ ...event, revision: '', sequence: 0 }), { revision, sequence })
}

export const messagesFor = (first: number, last: number): Message[] =>
  Array.from({ length: last - first + 1 }, (_, n) => messageFor(eventOf(first + n)))

/** The message of a good event, with something about it changed. */
export const spoiled = (event: Event, changed: Partial<Message> = {}): Message => ({
  ...messageFor(eventOf(1)),
  id: event.id,
  headers: {},
  data: bytesOf(event),
  ...changed,
})

export interface LogLine {
  level: 'info' | 'warn' | 'error'
  message: string
  fields: object
}

/** A journal in a file of its own, the bus of one process, a clock, and what was logged and acknowledged. */
export async function makeWorld() {
  const folder = temporaryFolder('journaling')
  const url = `sqlite:${join(folder, 'audit.db')}`
  const bus = createInProcessBus()
  const lines: LogLine[] = []
  const acknowledged: string[] = []
  const closing: (() => Promise<void>)[] = []
  const clock = { now: 1_750_000_100_000 }
  const keep = (level: LogLine['level']) => (fields: object, message: string) =>
    void lines.push({ level, message, fields })
  const log = { info: keep('info'), warn: keep('warn'), error: keep('error') }
  bus.onAcknowledged((ids) => acknowledged.push(...ids))
  const world = {
    file: join(folder, 'audit.db'),
    bus,
    lines,
    log,
    acknowledged,
    clock,
    async open(): Promise<Journal> {
      const journal = await openJournal({ url })
      closing.push(() => journal.close())
      return journal
    },
    async start(journal: Journal, more: Partial<JournalingOptions> = {}) {
      const journaling = await createJournaling({ bus, journal, log, now: () => clock.now, ...more })
      closing.unshift(() => journaling.close())
      return journaling
    },
    async end(): Promise<void> {
      for (const close of closing) await close()
      await bus.close()
      rmSync(folder, { recursive: true })
    },
  }
  return world
}
export type World = Awaited<ReturnType<typeof makeWorld>>
