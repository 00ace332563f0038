import {
  ServerInterceptingCall,
  status,
  type Metadata,
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
    const onCancel = () => {
      open--
      if (isInflating) compressed--
      clearTimeout(timer)
    }
    const onReceiveMetadata = (metadata: Metadata, next: (metadata: Metadata) => void) => {
      open++
      if (isInflating) compressed++
      if (open > limits.maxOpenCalls) return call.sendStatus(statusOf(tooMany))
      if (isInflating && compressed > limits.maxCompressedCalls) return call.sendStatus(tooManyCompressed)
      if (!method.requestStream && !method.responseStream && call.getDeadline() === Infinity) {
        timer = setTimeout(() => call.sendStatus(statusOf(overdue)), limits.undatedCallMs)
      }
      next(metadata)
    }
    return new ServerInterceptingCall(call, { start: (next) => next({ onReceiveMetadata, onCancel }) })
  }

  return { interceptor, openCalls: () => open }
}
