import { exportJWK, generateKeyPair, type JWK } from 'jose'
import type { KeyObject } from 'node:crypto'
import type { Millis } from '@countersign/contracts'
import { KeySetRecord, type SigningKey } from '@countersign/contracts/records'
import { keyOf, type Store } from '@countersign/store'
import { eventOf, seal, system } from '@countersign/tokens'
import { decideAndCommit } from './decide.ts'
import { limits } from './limits.ts'

/** In the order of preference. */
export const signingAlgorithms = ['ES256', 'EdDSA', 'RS256'] as const

const key = keyOf(0, 'keys')

export interface KeySetOptions {
  store: Store
  sealKey: KeyObject
  now: () => Millis
  commitId: () => string
}

/** A JWK Set (RFC 7517 section 5) of public keys. */
export interface PublicKeySet {
  keys: JWK[]
}

async function makeKey(alg: string, { sealKey, now, commitId }: KeySetOptions): Promise<SigningKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true, modulusLength: limits.rsaBits })
  const kid = commitId().slice(0, 16)
  const privateJwk = Buffer.from(JSON.stringify(await exportJWK(privateKey)))
  return {
    kid,
    alg,
    publicJwk: JSON.stringify({ ...(await exportJWK(publicKey)), kid, alg, use: 'sig' }),
    sealedPrivateJwk: seal(sealKey, privateJwk, `signing key ${kid}`),
    createdAt: now(),
  }
}

/** The signing keys; made at the first start, by whichever replica is first. */
export async function openKeySet(options: KeySetOptions): Promise<PublicKeySet> {
  const { store, now, commitId } = options
  await decideAndCommit(store, async () => {
    const [held] = await store.get([key])
    if (held) return undefined
    const keys = await Promise.all(signingAlgorithms.map((alg) => makeKey(alg, options)))
    const id = commitId()
    const attributes = Object.fromEntries(keys.map(({ alg, kid }) => [alg, kid]))
    const told = { type: 'key.rotated', partition: 0, reason: 'first_start', attributes } as const
    const commit = {
      id,
      partition: 0,
      checks: [{ key, version: null }],
      puts: [{ key, value: KeySetRecord.encode({ keys }).finish() }],
      deletes: [],
      events: [eventOf(id, 0, system, now(), told)],
      facts: [],
    }
    return { commit }
  })
  const [held] = await store.get([key])
  const keys = held ? KeySetRecord.decode(held.value).keys : []
  return { keys: keys.map(({ publicJwk }) => JSON.parse(publicJwk) as JWK) }
}
