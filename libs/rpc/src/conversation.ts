import type { handleBidiStreamingCall, ServerDuplexStream } from '@grpc/grpc-js'
import { Failure } from '@countersign/contracts'
import { RpcCallContext, type CallContext } from './context.ts'
import type { Drainable } from './pipeline.ts'
import { settleFailed, type Desk } from './unary.ts'

/** Whoever is on the other end of a stream. */
export interface Peer<Response> {
  /** Never waits: a peer that does not take what it is told is dropped. */
  send(response: Response): void
  /** Ends the stream. */
  fail(failure: Failure): void
}

export interface Listener<Request> {
  /** @throws Failure, which ends the stream */
  onRequest(request: Request): void
  /** Once, however it ended. */
  onClose(): void
}

/** Answers a bidirectional method on which both sides talk when they like. */
export interface Conversation<Request, Response> {
  converse(peer: Peer<Response>, context: CallContext): Listener<Request>
}

class Talk<Request, Response> implements Peer<Response>, Drainable {
  readonly #call: ServerDuplexStream<Request, Response>
  readonly #path: string
  readonly #desk: Desk
  readonly #mostUnsent: number
  readonly #startedMs = performance.now()
  #isOver = false

  constructor(call: ServerDuplexStream<Request, Response>, path: string, desk: Desk, mostUnsent: number) {
    this.#call = call
    this.#path = path
    this.#desk = desk
    this.#mostUnsent = mostUnsent
  }

  start(listener: (peer: Peer<Response>, context: CallContext) => Listener<Request>, onOver: () => void): void {
    const call = this.#call
    let listening: Listener<Request> | undefined
    const guarded = (work: () => void): void => {
      try {
        if (!this.#isOver) work()
      } catch (thrown) {
        this.#fail(thrown)
      }
    }
    call.once('cancelled', () => {
      if (!this.#isOver) this.#observe('cancelled')
      onOver()
      listening?.onClose()
    })
    guarded(() => (listening = listener(this, new RpcCallContext(call, this.#desk.connections))))
    call.on('data', (request: Request) => guarded(() => listening!.onRequest(request)))
    call.on('end', () => {
      if (this.#isOver) return
      this.#observe('ok')
      call.end()
    })
  }

  send(response: Response): void {
    if (this.#isOver) return
    if (this.#call.writableLength >= this.#mostUnsent) {
      this.#fail(new Failure('unavailable', 'this stream was not read fast enough: open it again'))
    } else {
      this.#call.write(response)
    }
  }

  fail(failure: Failure): void {
    this.#fail(failure)
  }

  drain(): void {
    this.#fail(new Failure('unavailable', 'the server is going away: ask again'))
  }

  #observe(outcome: 'ok' | 'cancelled'): void {
    this.#isOver = true
    this.#desk.observe?.(this.#path, outcome, performance.now() - this.#startedMs)
  }

  #fail(thrown: unknown): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#call.emit('error', settleFailed(this.#desk, this.#path, thrown, this.#startedMs))
  }
}

/** A grpc-js handler for a conversation. */
export function conversing<Request, Response>(
  path: string,
  conversation: Conversation<Request, Response>,
  desk: Desk,
  mostUnsent: number,
  open: Set<Drainable>,
): handleBidiStreamingCall<Request, Response> {
  return (call) => {
    const talk = new Talk<Request, Response>(call, path, desk, mostUnsent)
    open.add(talk)
    talk.start(
      (peer, context) => conversation.converse(peer, context),
      () => open.delete(talk),
    )
  }
}
