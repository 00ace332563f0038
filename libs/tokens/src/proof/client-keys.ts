import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'
import { Failure } from '@countersign/contracts'
import type { Client, ClientKeys } from '../client.ts'

/** Somebody's public keys. Both throw Failure when they cannot be had. */
export interface KeySource {
  /** The key that a JWS header names, for jose. */
  readonly key: JWTVerifyGetKey
  keySet(): Promise<JSONWebKeySet>
}

/**
 * Where the keys of clients are: in their configuration, or at their `jwks_uri`. Undefined for a client without keys.
 * @param remote the JWK Set at a URL
 */
export function createClientKeys(
  remote: (url: string) => KeySource,
): (client: Pick<Client, 'keys'>) => KeySource | undefined {
  const held = new WeakMap<ClientKeys, KeySource>()
  return ({ keys }) => {
    if (!keys) return undefined
    const { jwks, jwksUri } = keys
    if (!jwks) return jwksUri === undefined ? undefined : remote(jwksUri)
    let source = held.get(keys)
    if (!source) {
      source = localKeys(jwks as unknown as JSONWebKeySet)
      held.set(keys, source)
    }
    return source
  }
}

function localKeys(jwks: JSONWebKeySet): KeySource {
  const key = createLocalJWKSet(jwks)
  return { key, keySet: async () => jwks }
}

/** One answer, whatever is wrong. */
export const refusedClient = (cause?: unknown) =>
  new Failure('invalid_client', 'client authentication failed', { cause })

/** Keys that cannot be had prove nobody. */
export const withKeys = <T>(work: Promise<T>): Promise<T> =>
  work.catch((thrown: unknown) => {
    throw thrown instanceof Failure ? refusedClient(thrown) : thrown
  })
