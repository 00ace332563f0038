import { hash, timingSafeEqual } from 'node:crypto'
import { Failure, type AuthorizationCalls } from '@countersign/contracts'
import { basicAuthorization, type CallContext } from '@countersign/rpc'

type Guarded = {
  [K in keyof AuthorizationCalls]: (
    request: Parameters<AuthorizationCalls[K]>[0],
    context: CallContext,
  ) => ReturnType<AuthorizationCalls[K]>
}

/** The same calls, for a caller with one of these credentials alone. */
export function guardedFor(calls: AuthorizationCalls, credentials: readonly { id: string; secret: string }[]): Guarded {
  const digest = (text: string) => hash('sha256', text, 'buffer')
  const expected = credentials.map(({ id, secret }) => digest(basicAuthorization(id, secret)))
  const admit = ({ metadata }: CallContext): void => {
    const given = metadata.get('authorization')[0]?.toString() ?? ''
    if (expected.some((each) => timingSafeEqual(digest(given), each))) return
    throw new Failure('invalid_client', 'only login may ask this: it has to have the same master key')
  }
  const guard = (call: (request: never) => unknown) => (request: never, context: CallContext) => {
    admit(context)
    return call(request)
  }
  return Object.fromEntries(Object.entries(calls).map(([name, call]) => [name, guard(call)])) as Guarded
}
