import type { handleUnaryCall, ServerUnaryCall } from '@grpc/grpc-js'
import { asFailure, type FailureCode } from '@countersign/contracts'
import { RpcCallContext, type CallContext, type Connections } from './context.ts'
import type { FailureLog } from './failure-log.ts'
import { statusOf, type RpcStatus } from './status.ts'

/** Answers one request, at once where it can. @throws Failure, which becomes the call's status */
export type Answer<Request, Response> = (request: Request, context: CallContext) => Response | Promise<Response>

/** How a call ended. */
export type CallOutcome = FailureCode | 'ok' | 'cancelled'
/** Told of every call once it is over; `path` is `/package.Service/Method`. */
export type CallObserver = (path: string, outcome: CallOutcome, durationMs: number) => void

/** What the handlers of one server share. */
export interface Desk {
  readonly connections: Connections | undefined
  readonly observe: CallObserver | undefined
  readonly logFailure: FailureLog
}

/** Notes a failed call; gives the status to send. */
export function settleFailed(desk: Desk, path: string, thrown: unknown, startedMs: number): RpcStatus {
  const failure = asFailure(thrown)
  desk.logFailure(failure, { path })
  desk.observe?.(path, failure.code, performance.now() - startedMs)
  return statusOf(failure)
}

const goneOutcome = (deadline: number): CallOutcome => (Date.now() >= deadline ? 'deadline_exceeded' : 'cancelled')

/** A grpc-js handler for a unary method. */
export function unary<Request, Response>(
  path: string,
  answer: Answer<Request, Response>,
  desk: Desk,
): handleUnaryCall<Request, Response> {
  return (call: ServerUnaryCall<Request, Response>, callback) => {
    const startedMs = performance.now()
    const context = new RpcCallContext(call, desk.connections)
    const succeed = (response: Response): void => {
      const outcome = call.cancelled ? goneOutcome(context.deadline) : 'ok'
      desk.observe?.(path, outcome, performance.now() - startedMs)
      callback(null, response)
    }
    const fail = (thrown: unknown): void => callback(settleFailed(desk, path, thrown, startedMs))
    let answered: Response | Promise<Response>
    try {
      answered = answer(call.request, context)
    } catch (thrown) {
      return fail(thrown)
    }
    if (answered instanceof Promise) answered.then(succeed, fail)
    else succeed(answered)
  }
}
