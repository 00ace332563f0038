import { Failure } from '@countersign/contracts'
import { Router, type Request, type Response } from 'express'
import type { Journal } from './journal/port.ts'
import { entryJson } from './json.ts'
import { streamTiming, type StreamTiming } from './limits.ts'
import type { Log } from './log.ts'
import { searchQuery, streamQuery } from './query.ts'
import { streamEvents } from './stream.ts'
import type { Tail } from './tail.ts'

export interface AuditRoutesOptions {
  journal: Journal
  tail: Tail
  /**
   * Resolves when the request may read the journal. @throws Failure when it may not; for a stream it is asked again and
   * again.
   */
  authorize: (request: Request) => Promise<void>
  log: Log
  timing?: StreamTiming
}

const onlyGet = (_request: Request, response: Response): never => {
  response.setHeader('allow', 'GET, HEAD')
  throw new Failure('method_not_allowed', 'the audit journal is read with GET')
}

/**
 * `GET /audit/v1/events` and `GET /audit/v1/events/stream`. What fails is thrown, as a Failure, before anything is
 * sent.
 */
export function auditRoutes({ journal, tail, authorize, log, timing = streamTiming }: AuditRoutesOptions): Router {
  const router = Router({ caseSensitive: true, strict: true })

  router.get('/audit/v1/events', async (request, response) => {
    await authorize(request)
    const { filter, page, cursorAfter } = searchQuery(request.originalUrl)
    const { entries, next } = await journal.search(filter, page)
    const cursor = next === undefined ? 'null' : `"${cursorAfter(next)}"`
    response.writeHead(200, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' })
    response.end(`{"events":[${entries.map(entryJson).join(',')}],"next":${cursor}}`)
  })

  router.get('/audit/v1/events/stream', async (request, response) => {
    await authorize(request)
    const { filter, after } = streamQuery(request.originalUrl, request.get('last-event-id'))
    const head = await journal.head()
    if (after !== undefined && after > head)
      throw new Failure('invalid_request', `the last event id is beyond the journal, which ends at ${head}`)
    if (request.method === 'HEAD') return void response.writeHead(200, { 'cache-control': 'no-store' }).end()
    const follower = tail.follow()
    tail.notify(head)
    const mayRead = () => authorize(request)
    await streamEvents(response, { journal, follower, filter, after: after ?? head, authorize: mayRead, log, timing })
  })

  router.all(['/audit/v1/events', '/audit/v1/events/stream'], onlyGet)
  return router
}
