import { Failure } from '@countersign/contracts'
import {
  IntrospectionService,
  type Outcome,
  type StreamIntrospectRequest,
  type StreamIntrospectResponse,
} from '@countersign/contracts/introspection'
import { createRpcClient, failureOf, type ClientTls } from '@countersign/rpc'
import type { Upstream, WatchListener, WatchStream } from './upstream.ts'

export interface GrpcUpstreamOptions {
  target: string
  client: { id: string; secret: string } | undefined
  tls: ClientTls | undefined
  allowPlaintext: boolean
  deadlineMs: number
}

type Stream = ReturnType<ReturnType<typeof createRpcClient<typeof IntrospectionService>>['calls']['streamIntrospect']>

interface Open {
  readonly sentMs: number
  resolve(outcomes: Outcome[]): void
  reject(failure: Failure): void
}

/** One stream of questions, opened when there is one to put, and again after it was lost, or hangs. */
class Line {
  readonly #open: () => Stream
  readonly #deadlineMs: number
  #isClosed = false
  #stream: Stream | undefined
  #questions = new Map<number, Open>()
  #id = 0

  constructor(open: () => Stream, deadlineMs: number) {
    this.#open = open
    this.#deadlineMs = deadlineMs
  }

  ask(requests: StreamIntrospectRequest['requests']): Promise<Outcome[]> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) throw new Failure('unavailable', 'the verifier is closed')
      const sentMs = performance.now()
      this.#leaveHanging(sentMs)
      const stream = (this.#stream ??= this.#connect())
      const id = ++this.#id
      this.#questions.set(id, { sentMs, resolve, reject })
      stream.write({ id, request: undefined, requests })
    })
  }

  close(): void {
    this.#isClosed = true
    this.#stream?.cancel()
  }

  /** A replica that stands still keeps its connections; another one may answer. */
  #leaveHanging(nowMs: number): void {
    const [oldest] = this.#questions.values()
    if (!this.#stream || !oldest || nowMs - oldest.sentMs < this.#deadlineMs) return
    this.#stream.cancel()
    this.#stream = undefined
  }

  #connect(): Stream {
    const stream = this.#open()
    const questions = (this.#questions = new Map<number, Open>())
    stream.on('data', ({ id, outcomes }: StreamIntrospectResponse) => {
      questions.get(id)?.resolve(outcomes)
      questions.delete(id)
    })
    const lost = (failure: Failure): void => {
      if (this.#stream === stream) this.#stream = undefined
      for (const { reject } of questions.values()) reject(failure)
      questions.clear()
    }
    stream.on('error', (error) => lost(failureOf(error as Parameters<typeof failureOf>[0])))
    stream.on('end', () => lost(new Failure('unavailable', 'Countersign ended the stream')))
    return stream
  }
}

/** The service over gRPC. @throws Error when plaintext would leave this machine */
export function connectUpstream(options: GrpcUpstreamOptions): Upstream {
  const { target, client, tls, allowPlaintext, deadlineMs } = options
  const rpc = createRpcClient(IntrospectionService, {
    target,
    tls,
    allowPlaintext,
    ...(client && { client }),
    deadlineMs,
    idempotent: [],
  })
  const line = new Line(() => rpc.calls.streamIntrospect(), deadlineMs)
  return {
    ask: (questions) => line.ask(questions),
    watch: ({ onResponse, onClosed }: WatchListener): WatchStream => {
      const stream = rpc.calls.watch()
      let isClosed = false
      const lost = (failure: Failure): void => {
        if (isClosed) return
        isClosed = true
        onClosed(failure)
      }
      stream.on('data', (response) => isClosed || onResponse(response))
      stream.on('error', (error) => lost(failureOf(error as Parameters<typeof failureOf>[0])))
      stream.on('end', () => lost(new Failure('unavailable', 'Countersign ended the stream')))
      return {
        send: (request) => void (isClosed || stream.write(request)),
        close() {
          isClosed = true
          stream.cancel()
        },
      }
    },
    close() {
      line.close()
      rpc.close()
    },
  }
}
