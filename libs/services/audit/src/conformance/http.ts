import { asFailure, Failure } from '@countersign/contracts'
import express, { type ErrorRequestHandler } from 'express'
import { once } from 'node:events'
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Journal } from '../journal/port.ts'
import { streamTiming, type StreamTiming } from '../limits.ts'
import { auditRoutes } from '../routes.ts'
import { createTail } from '../tail.ts'
import type { World } from './world.ts'

const statuses: Partial<Record<Failure['code'], number>> = {
  invalid_request: 400,
  access_denied: 403,
  method_not_allowed: 405,
  too_many_requests: 429,
  unavailable: 503,
}

/** One event of a stream, as a browser would dispatch it. */
export interface Heard {
  id: string
  event: string
  data: string
}

/** A stream of server-sent events that is being read. */
export interface Reading {
  status: number
  headers: IncomingMessage['headers']
  heard: Heard[]
  /** What is read besides events. */
  text(): string
  /** The id that a reconnecting browser would send. */
  lastId(): string
  ended(): boolean
  response: IncomingMessage
  close(): void
}

function hear(text: string, reading: { heard: Heard[]; lastId: string }): void {
  const fields = { id: reading.lastId, event: 'message', data: [] as string[] }
  for (const line of text.split('\n')) {
    const [, name, value] = /^(\w+): ?(.*)$/.exec(line) ?? []
    if (name === 'id' || name === 'event') fields[name] = value!
    if (name === 'data') fields.data.push(value!)
  }
  reading.lastId = fields.id
  if (fields.data.length > 0) reading.heard.push({ id: fields.id, event: fields.event, data: fields.data.join('\n') })
}

/** The routes on a server of their own, authorised by whether `access` says so. */
export async function serve(world: World, journal: Journal, timing: Partial<StreamTiming> = {}) {
  const tail = createTail({ journal })
  const access = { allowed: true }
  const authorize = async () => {
    if (!access.allowed) throw new Failure('access_denied', 'not yours')
  }
  const application = express()
  application.use(auditRoutes({ journal, tail, authorize, log: world.log, timing: { ...streamTiming, ...timing } }))
  const onError: ErrorRequestHandler = (thrown, _request, response, _next) => {
    const { code, message } = asFailure(thrown)
    response.status(statuses[code] ?? 500).json({ code, message })
  }
  application.use(onError)
  const server = createServer(application).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  async function get(path: string, init: RequestInit = {}) {
    const response = await fetch(origin + path, init)
    const text = await response.text()
    return { status: response.status, headers: response.headers, text, body: (text ? JSON.parse(text) : {}) as Body }
  }

  async function listen(query = '', lastEventId?: string): Promise<Reading> {
    const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId }
    const request = httpRequest(`${origin}/audit/v1/events/stream${query}`, { headers }).end()
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    const state = { heard: [] as Heard[], lastId: '', text: '', rest: '', ended: false }
    response.setEncoding('utf8').on('data', (chunk: string) => {
      state.text += chunk
      const blocks = (state.rest + chunk).split('\n\n')
      state.rest = blocks.pop()!
      for (const block of blocks) hear(block, state)
    })
    response.on('error', () => undefined).on('close', () => (state.ended = true))
    return {
      status: response.statusCode!,
      headers: response.headers,
      heard: state.heard,
      text: () => state.text,
      lastId: () => state.lastId,
      ended: () => state.ended,
      response,
      close: () => void request.destroy(),
    }
  }

  async function close(): Promise<void> {
    await tail.close()
    server.closeAllConnections()
    server.close()
  }
  return { get, listen, close, tail, access, origin }
}

interface Body {
  events: {
    index: number
    id: string
    type: string
    subject?: string
    actor?: object
    attributes?: object
    redacted?: true
  }[]
  next: string | null
  code: string
  message: string
}
export type Served = Awaited<ReturnType<typeof serve>>
