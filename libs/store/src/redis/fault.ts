import { Failure } from '@countersign/contracts'
import { unavailable } from '../unavailable.ts'

export interface Fault {
  failure: Failure
  /** Whether the connection, or the server's role, is what failed: on another connection the same call may succeed. */
  isConnectionLost: boolean
}

const credentialsRefused = 'Redis refuses the credentials or permissions of this client'

/** What Redis answers when it cannot serve now, by the first word of the error. */
const passing: Record<string, string> = {
  OOM: 'Redis is out of memory',
  LOADING: 'Redis is loading its data',
  MASTERDOWN: 'this Redis has lost its primary',
  CLUSTERDOWN: 'the Redis cluster is down',
  TRYAGAIN: 'the Redis cluster is moving keys',
  NOREPLICAS: 'Redis has not enough replicas to write',
  MISCONF: 'Redis cannot write to its disk',
  BUSY: 'Redis is busy',
  NOAUTH: credentialsRefused,
  WRONGPASS: credentialsRefused,
  NOPERM: credentialsRefused,
}

/** Answers of a server that is not, or no longer, the primary of these keys. */
const elsewhere = new Set(['READONLY', 'UNBLOCKED', 'MOVED', 'ASK'])

const programming = new Set(['TypeError', 'RangeError', 'ReferenceError', 'SyntaxError'])

/** What the client threw, as the room's failure; its cause keeps the message alone, for ioredis adds the arguments. */
export function faultOf(thrown: unknown): Fault {
  if (thrown instanceof Failure) return { failure: thrown, isConnectionLost: false }
  const { name, message } = thrown instanceof Error ? thrown : new Error(String(thrown))
  const cause = new Error(message)
  if (name === 'ReplyError') {
    const code = message.split(' ', 1)[0]!
    if (elsewhere.has(code)) return lost(cause)
    const why = message.includes('a non local key') ? passing.TRYAGAIN : passing[code]
    if (why !== undefined) return { failure: unavailable(why, cause), isConnectionLost: false }
  }
  if (name === 'ReplyError' || programming.has(name))
    return { failure: new Failure('internal', 'the store answered with an error', { cause }), isConnectionLost: false }
  return lost(cause)
}

const lost = (cause: Error): Fault => ({
  failure: unavailable('the connection to Redis is lost', cause),
  isConnectionLost: true,
})

export const isNoScript = (thrown: unknown): boolean => thrown instanceof Error && thrown.message.startsWith('NOSCRIPT')
