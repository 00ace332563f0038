import { asFailure, Failure } from '@countersign/contracts'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { EventFilter, Journal, JournalEntry } from './journal/port.ts'
import { entryJson } from './json.ts'
import { pollMs, streamPageEvents, streamRetryMs, streamSpacingMs, type StreamTiming } from './limits.ts'
import type { Log } from './log.ts'
import type { Follower } from './tail.ts'

export interface StreamOptions {
  journal: Pick<Journal, 'search'>
  follower: Follower
  filter: EventFilter
  /** Events behind this index are sent. */
  after: number
  /** Throws when the reader may not read any more. */
  authorize: () => Promise<void>
  log: Log
  timing: StreamTiming
}

const streamHeaders = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  'x-accel-buffering': 'no', // nginx would collect events otherwise
}

const eventText = (entry: JournalEntry): string =>
  `id: ${entry.index}\nevent: ${entry.event.type}\ndata: ${entryJson(entry)}\n\n`

/** Waits until the reader has taken what was written; one that takes nothing for too long is taken for gone. */
async function write(response: ServerResponse, text: string, { follower, timing }: StreamOptions): Promise<void> {
  if (response.write(text)) return
  const { ending } = follower
  const stalled = setTimeout(() => (response.destroy(), ending.abort()), timing.maxStallMs)
  try {
    await once(response, 'drain', { signal: ending.signal })
  } finally {
    clearTimeout(stalled)
  }
}

/** Sends what there is up to the head, a page at a time, at the reader's own pace. */
async function sendUpTo(
  head: number,
  after: number,
  response: ServerResponse,
  options: StreamOptions,
): Promise<number> {
  const { journal, filter, follower } = options
  let position = after
  while (position < head) {
    const page = { order: 'asc', limit: streamPageEvents, after: position, upTo: head } as const
    const { entries, next } = await journal.search(filter, page)
    follower.ending.signal.throwIfAborted()
    if (entries.length > 0) await write(response, entries.map(eventText).join(''), options)
    position = next ?? head
  }
  return position
}

async function run(response: ServerResponse, options: StreamOptions): Promise<void> {
  const { follower, log } = options
  const { signal } = follower.ending
  let position = options.after
  while (!signal.aborted) {
    let pauseMs = streamSpacingMs
    try {
      position = await sendUpTo(await follower.beyond(position), position, response, options)
    } catch (thrown) {
      if (signal.aborted) return
      if (!(thrown instanceof Failure && thrown.code === 'unavailable')) throw thrown
      log.warn({ err: thrown }, 'a stream waits for the audit journal')
      pauseMs = pollMs
    }
    await sleep(pauseMs, undefined, { signal }).catch(() => undefined)
  }
}

/**
 * Server-sent events: the journal's entries behind an index, then new ones as they come, until the reader leaves, may
 * not read any more, or the service shuts down. Never rejects.
 */
export async function streamEvents(response: ServerResponse, options: StreamOptions): Promise<void> {
  const { follower, after, authorize, log, timing } = options
  const { ending } = follower
  const stop = () => ending.abort()
  response.once('close', stop)
  if (response.destroyed) stop()
  response.writeHead(200, streamHeaders)
  // The id without data: a reader that reconnects before the first event goes on from here, and misses nothing.
  response.write(`retry: ${streamRetryMs}\nid: ${after}\n\n`)
  const heartbeat = setInterval(() => !response.writableNeedDrain && response.write(':\n\n'), timing.heartbeatMs)
  const look = () =>
    void authorize().catch((thrown) => (log.info({ code: asFailure(thrown).code }, 'a stream ends'), stop()))
  const authorization = setInterval(look, timing.reauthorizeMs)
  try {
    await run(response, options)
  } catch (thrown) {
    log.error({ err: thrown }, 'a stream of audit events failed')
  } finally {
    clearInterval(heartbeat)
    clearInterval(authorization)
    response.off('close', stop)
    response.end()
    follower.leave()
  }
}
