import { AdministrationService } from '@countersign/contracts/administration'
import { createRpcClient } from '@countersign/rpc'
import type { Setting } from './setting.ts'

/** A line of the configuration. */
export const operatorClient = '{ id: admin, secret: SECRET, admin: true }'

/** Who asks token-issuer as operators do: with `admin: true`, or as another client that tries. */
export function operator(setting: Setting, credentials = { id: 'admin', secret: setting.secret }) {
  return createRpcClient(AdministrationService, {
    target: setting.at.grpcTarget,
    allowPlaintext: true,
    client: credentials,
    deadlineMs: 10_000,
    idempotent: [],
  })
}
