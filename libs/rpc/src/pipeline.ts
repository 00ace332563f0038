import type { handleBidiStreamingCall, ServerDuplexStream } from '@grpc/grpc-js'
import { Failure } from '@countersign/contracts'
import { RpcCallContext } from './context.ts'
import { settleFailed, type Answer, type Desk } from './unary.ts'

/** A stream that can be asked to finish: what it has read is answered, the rest is refused as `unavailable`. */
export interface Drainable {
  drain(): void
}

type PipelineState = 'reading' | 'paused' | 'ending' | 'draining' | 'over'

/**
 * Answers the requests of one stream side by side, each as soon as it is known. At most `windowRequests` are in work,
 * and nothing is read while the peer does not take its answers: then the sender is held back by flow control.
 */
class Pipeline<Request, Response> implements Drainable {
  readonly #call: ServerDuplexStream<Request, Response>
  readonly #answer: Answer<Request, Response>
  readonly #path: string
  readonly #desk: Desk
  readonly #windowRequests: number
  readonly #context: RpcCallContext
  readonly #startedMs = performance.now()
  #inWork = 0
  #state: PipelineState = 'reading'

  constructor(
    call: ServerDuplexStream<Request, Response>,
    path: string,
    answer: Answer<Request, Response>,
    desk: Desk,
    windowRequests: number,
  ) {
    this.#call = call
    this.#answer = answer
    this.#path = path
    this.#desk = desk
    this.#windowRequests = windowRequests
    this.#context = new RpcCallContext(call, desk.connections)
  }

  start(onOver: () => void): void {
    const call = this.#call
    call.on('data', this.#onRequest)
    call.on('drain', this.#readOn)
    call.on('end', () => this.#finish('ending'))
    call.once('cancelled', () => {
      if (this.#state !== 'over') this.#desk.observe?.(this.#path, 'cancelled', performance.now() - this.#startedMs)
      this.#state = 'over'
      onOver()
    })
  }

  drain(): void {
    this.#call.pause()
    this.#finish('draining')
  }

  readonly #onRequest = (request: Request): void => {
    if (this.#state === 'over' || this.#state === 'draining') return
    if (++this.#inWork >= this.#windowRequests) this.#pause()
    let answered: Response | Promise<Response>
    try {
      answered = this.#answer(request, this.#context)
    } catch (thrown) {
      return this.#onFailure(thrown)
    }
    if (answered instanceof Promise) answered.then(this.#onResponse, this.#onFailure)
    else this.#onResponse(answered)
  }

  readonly #onResponse = (response: Response): void => {
    this.#inWork--
    if (this.#state === 'over') return
    if (!this.#call.write(response)) this.#pause()
    this.#finish(this.#state)
    this.#readOn()
  }

  readonly #onFailure = (thrown: unknown): void => {
    this.#inWork--
    this.#fail(thrown)
  }

  #fail(thrown: unknown): void {
    if (this.#state === 'over') return
    this.#state = 'over'
    this.#call.emit('error', settleFailed(this.#desk, this.#path, thrown, this.#startedMs))
  }

  #pause(): void {
    if (this.#state !== 'reading') return
    this.#state = 'paused'
    this.#call.pause()
  }

  readonly #readOn = (): void => {
    if (this.#state !== 'paused' || this.#inWork >= this.#windowRequests || this.#call.writableNeedDrain) return
    this.#state = 'reading'
    this.#call.resume()
  }

  #finish(state: PipelineState): void {
    if (this.#state === 'over') return
    this.#state = state
    if (this.#inWork > 0) return
    if (state === 'draining') this.#fail(new Failure('unavailable', 'the server is going away: ask again'))
    if (state !== 'ending') return
    this.#state = 'over'
    this.#desk.observe?.(this.#path, 'ok', performance.now() - this.#startedMs)
    this.#call.end()
  }
}

/** A grpc-js handler for a bidirectional method that answers each request by itself. */
export function pipelined<Request, Response>(
  path: string,
  answer: Answer<Request, Response>,
  desk: Desk,
  windowRequests: number,
  open: Set<Drainable>,
): handleBidiStreamingCall<Request, Response> {
  return (call) => {
    const pipeline = new Pipeline(call, path, answer, desk, windowRequests)
    open.add(pipeline)
    pipeline.start(() => open.delete(pipeline))
  }
}
