import { asFailure } from '@countersign/contracts'
import { AuthorizationService } from '@countersign/contracts/authorization'
import { createRpcClient } from '@countersign/rpc'
import { limits } from '../limits.ts'
import { fail, ok, warn, type Check } from './finding.ts'
import { readTls } from './tls.ts'

const check = 'token-issuer'

/** What a `login` of its own asks. */
export const tokenIssuer: Check = {
  name: check,
  mend: 'set services.token_issuer to its gRPC listener',
  async run({ loaded: { config } }) {
    const { store, bus, allowPlaintext, services } = config
    if (store.url.startsWith('sqlite:') || bus.url === 'in-process') return [ok(check, 'in-process: nothing to reach')]
    const { target, tls } = services.tokenIssuer
    const { calls, close } = createRpcClient(AuthorizationService, {
      target,
      allowPlaintext,
      tls: readTls(tls),
      deadlineMs: limits.checkMs / 2,
      idempotent: [],
    })
    try {
      await calls.getSession({ session: undefined })
      return [fail(check, `${target} answers everybody, as the token-issuer never does`, tokenIssuer.mend)]
    } catch (thrown) {
      const { code, message } = asFailure(thrown)
      // Who does not say who they are is told so.
      if (code === 'invalid_client') return [ok(check, `${target} answers login over gRPC`)]
      if (code === 'unavailable' || code === 'deadline_exceeded') {
        const mend =
          'start token-issuer, or set services.token_issuer.target to its gRPC listener, and tls where it has TLS'
        return [warn(check, `${target} does not answer over gRPC: ${message}`, mend)]
      }
      return [fail(check, `${target} is no token-issuer: ${message}`, tokenIssuer.mend)]
    } finally {
      close()
    }
  },
}
