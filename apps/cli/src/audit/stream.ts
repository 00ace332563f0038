import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '@countersign/contracts'
import { urlAt } from '../client.ts'
import { send } from '../http-call.ts'
import { limits } from '../limits.ts'
import { EventReader, type ServerSentEvent } from './server-sent-events.ts'
import { asEvent, type AuditEvent, type AuditSource } from './source.ts'

export interface FollowOptions {
  /** The index behind which to begin; undefined: at the end of the journal. */
  after: number | undefined
  /** Told when the stream is lost, and before it is opened again. */
  onLost: (failure: Failure) => void
  /** Without a byte for so long, the stream is taken for lost. */
  silenceMs: number
  random: () => number
}

/**
 * Events as they come, each once and in order, for ever. A lost stream is opened again behind the last event; only what
 * trying again cannot mend ends it, and trouble before anything was heard.
 * @throws Failure
 */
export async function* followEvents(source: AuditSource, options: FollowOptions): AsyncGenerator<AuditEvent> {
  let last = options.after
  let failures = 0
  let isHeard = false
  for (;;) {
    try {
      for await (const { id, data } of openStream(source, last, options.silenceMs)) {
        isHeard = true
        failures = 0
        const index = /^\d{1,15}$/.test(id) ? Number(id) : undefined
        const isNew = index === undefined || last === undefined || index > last
        if (isNew) last = index ?? last
        if (data !== '' && isNew) yield asEvent(parse(data))
      }
      throw new Failure('unavailable', 'the server ended the stream')
    } catch (thrown) {
      if (!isHeard || !(thrown instanceof Failure) || !isPassing(thrown)) throw thrown
      if (failures === 0) options.onLost(thrown)
      const waitMs = Math.min(limits.reopenMs * 2 ** failures++, limits.longestReopenMs)
      await sleep(waitMs * (0.5 + options.random()))
    }
  }
}

const isPassing = ({ code }: Failure): boolean =>
  code === 'unavailable' || code === 'deadline_exceeded' || code === 'too_many_requests'

function parse(data: string): unknown {
  try {
    return JSON.parse(data)
  } catch {
    return undefined
  }
}

/** One connection, until it breaks. @throws Failure */
async function* openStream(
  { base, credentials, filter }: AuditSource,
  last: number | undefined,
  silenceMs: number,
): AsyncGenerator<ServerSentEvent> {
  const url = urlAt(base, '/audit/v1/events/stream', filter)
  const ending = new AbortController()
  const silent = () => ending.abort(new Failure('deadline_exceeded', `${base.origin} has gone silent`))
  const watch = setTimeout(silent, silenceMs)
  const headers = { accept: 'text/event-stream', ...(last !== undefined && { 'last-event-id': String(last) }) }
  const reader = new EventReader()
  const decoder = new TextDecoder()
  try {
    const { body } = await send({ url, credentials, headers, signal: ending.signal })
    for await (const chunk of body ?? []) {
      watch.refresh()
      yield* reader.read(decoder.decode(chunk, { stream: true }))
    }
  } catch (thrown) {
    if (thrown instanceof Failure) throw thrown
    if (ending.signal.aborted) throw ending.signal.reason
    throw new Failure('unavailable', `the connection to ${base.origin} was lost`, { cause: thrown })
  } finally {
    clearTimeout(watch)
    ending.abort()
  }
}
