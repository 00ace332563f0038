import type { KeyObject } from 'node:crypto'
import type { Route } from '@countersign/chassis'
import type { Millis } from '@countersign/contracts'
import type { Store } from '@countersign/store'
import type { ClientAuthentication, Clients, TokenFormat } from '@countersign/tokens'
import { ClientDirectory } from './client-directory.ts'
import { openKeySet } from './key-set.ts'
import { metadataRoutes } from './metadata.ts'
import { revocationEndpoint } from './revoke.ts'
import { tokenEndpoint } from './token.ts'

export interface TokenIssuerOptions {
  store: Store
  partitions: number
  issuer: string
  format: TokenFormat
  /** Seals private keys at rest. */
  sealKey: KeyObject
  clients: () => Clients
  authentication: ClientAuthentication
  /** Scopes that resources define, for the discovery documents. */
  scopes: () => readonly string[]
  /** Whether the audit journal is too far behind for new grants. */
  overBacklog: () => boolean
  now: () => Millis
  /** 128 random bits as 32 hex digits. */
  commitId: () => string
  /** From the operating system's generator. */
  randomBytes: (bytes: number) => Uint8Array
}

export interface TokenIssuer {
  routes: Route[]
  /** Brings the store in line with the configured clients, once at the start and after each change of them. */
  reconcile(): Promise<void>
}

/** @throws Failure `unavailable` when the store cannot be reached */
export async function createTokenIssuer(options: TokenIssuerOptions): Promise<TokenIssuer> {
  const { issuer, scopes, clients } = options
  const directory = new ClientDirectory(options)
  const keySet = await openKeySet(options)
  await directory.reconcile(clients())
  return {
    routes: [
      tokenEndpoint({ ...options, directory }),
      revocationEndpoint(options),
      ...metadataRoutes(issuer, scopes, keySet),
    ],
    reconcile: () => directory.reconcile(clients()),
  }
}
