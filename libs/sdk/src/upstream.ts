import type { Failure } from '@countersign/contracts'
import type { IntrospectRequest, Outcome, WatchRequest, WatchResponse } from '@countersign/contracts/introspection'

export interface WatchStream {
  send(request: WatchRequest): void
  close(): void
}

export interface WatchListener {
  onResponse(response: WatchResponse): void
  /** Once; not after `close`. */
  onClosed(failure: Failure): void
}

/** The service, as a verifier needs it. */
export interface Upstream {
  /**
   * One outcome a question, in order.
   * @throws Failure when there is none
   */
  ask(questions: IntrospectRequest[]): Promise<Outcome[]>
  watch(listener: WatchListener): WatchStream
  close(): void
}
