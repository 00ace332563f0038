import {
  status,
  type Metadata,
  type ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
} from '@grpc/grpc-js'
import { Failure } from '@countersign/contracts'
import type { ServerLimits } from './limits.ts'
import { statusOf } from './status.ts'

export interface Admission {
  readonly interceptor: ServerInterceptor
  /** Calls from their first header to their last byte. */
  openCalls(): number
}

type Limits = Pick<ServerLimits, 'maxOpenCalls' | 'maxCompressedCalls' | 'undatedCallMs'>

/** grpc-js takes the header away before interceptors see it, and keeps what it said here. */
const isCompressed = (call: ServerInterceptingCallInterface): boolean =>
  (call as { incomingEncoding?: string }).incomingEncoding !== 'identity'

const tooMany = new Failure('unavailable', 'too many calls at once: ask again soon')
const tooManyCompressed = {
  code: status.RESOURCE_EXHAUSTED,
  details: 'too many compressed calls at once: send them uncompressed',
}
const overdue = new Failure('deadline_exceeded', 'the request took too long to arrive or to be answered')

/** Bounds what the calls of one server hold, before a byte of their messages is read. */
export function createAdmission(limits: Limits): Admission {
  let open = 0
  let compressed = 0

  const interceptor: ServerInterceptor = (method, call) => {
    const isInflating = isCompressed(call)
    let timer: NodeJS.Timeout | undefined
    const admitted: ServerInterceptingCallInterface = new AdmittedCall(call, {
      admit() {
        open++
        if (isInflating) compressed++
        if (open > limits.maxOpenCalls) return statusOf(tooMany)
        if (isInflating && compressed > limits.maxCompressedCalls) return tooManyCompressed
        if (!method.requestStream && !method.responseStream && call.getDeadline() === Infinity) {
          timer = setTimeout(() => call.sendStatus(statusOf(overdue)), limits.undatedCallMs)
        }
        return undefined
      },
      over() {
        open--
        if (isInflating) compressed--
        clearTimeout(timer)
      },
    })
    // The library's type asks for its own class, and its code for the interface.
    return admitted as ServerInterceptingCall
  }

  return { interceptor, openCalls: () => open }
}

type Status = Parameters<ServerInterceptingCallInterface['sendStatus']>[0]
type CallListener = Parameters<ServerInterceptingCallInterface['start']>[0]

interface Gate {
  /** Once, at the first header. @returns the status to refuse with */
  admit(): Status | undefined
  /** Once, at the end of whatever was at the gate. */
  over(): void
}

/** A call that passes a gate and is else as it was: the library's own class for this makes a dozen objects a call. */
class AdmittedCall implements ServerInterceptingCallInterface {
  readonly #call: ServerInterceptingCallInterface
  readonly #gate: Gate

  constructor(call: ServerInterceptingCallInterface, gate: Gate) {
    this.#call = call
    this.#gate = gate
  }

  start(listener: CallListener): void {
    const [call, gate] = [this.#call, this.#gate]
    call.start({
      onReceiveMetadata(metadata: Metadata) {
        const refused = gate.admit()
        if (refused) call.sendStatus(refused)
        else listener.onReceiveMetadata(metadata)
      },
      onReceiveMessage: (message) => listener.onReceiveMessage(message),
      onReceiveHalfClose: () => listener.onReceiveHalfClose(),
      onCancel() {
        gate.over()
        listener.onCancel()
      },
    })
  }

  sendMetadata(metadata: Metadata): void {
    this.#call.sendMetadata(metadata)
  }
  sendMessage(message: unknown, callback: () => void): void {
    this.#call.sendMessage(message, callback)
  }
  sendStatus(told: Status): void {
    this.#call.sendStatus(told)
  }
  startRead(): void {
    this.#call.startRead()
  }
  getPeer(): string {
    return this.#call.getPeer()
  }
  getDeadline() {
    return this.#call.getDeadline()
  }
  getHost(): string {
    return this.#call.getHost()
  }
  getAuthContext() {
    return this.#call.getAuthContext()
  }
  getConnectionInfo() {
    return this.#call.getConnectionInfo()
  }
  getMetricsRecorder() {
    return this.#call.getMetricsRecorder()
  }
}
