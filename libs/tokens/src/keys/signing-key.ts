import type { KeyObject } from 'node:crypto'
import type { JWK } from 'jose'
import { Failure, type Millis } from '@countersign/contracts'
import type { SigningKey } from '@countersign/contracts/records'
import { keyOf } from '@countersign/store'
import { seal, unseal } from '../seal.ts'

/** Where the signing keys are. */
export const keySetKey = keyOf(0, 'keys')

/** `published`: known, and signs later. `retired`: signs no more, and what it signed is still good. */
export type SigningKeyState = 'published' | 'active' | 'retired'

export function stateOf({ activeAt, retiredAt }: SigningKey, now: Millis): SigningKeyState {
  if (retiredAt !== 0 && retiredAt <= now) return 'retired'
  return activeAt > now ? 'published' : 'active'
}

/** The key that signs with an algorithm; of several the newest. */
export function signerOf(keys: readonly SigningKey[], alg: string, now: Millis): SigningKey | undefined {
  const active = keys.filter((key) => key.alg === alg && stateOf(key, now) === 'active')
  return active.toSorted((a, b) => b.activeAt - a.activeAt || b.createdAt - a.createdAt)[0]
}

const publicMembers = ['kty', 'crv', 'x', 'y', 'n', 'e'] as const

/** What is published of a key: its public members, `kid`, `alg` and `use`, and never another. */
export function publicJwkOf({ publicJwk, kid, alg }: SigningKey): JWK {
  const stored = JSON.parse(publicJwk) as JWK
  const members = publicMembers.flatMap((name) => (stored[name] === undefined ? [] : [[name, stored[name]] as const]))
  return { ...Object.fromEntries(members), kid, alg, use: 'sig' }
}

const contextOf = (kid: string): string => `signing key ${kid}`

export const sealPrivateJwk = (sealKey: KeyObject, kid: string, jwk: JWK): Buffer =>
  seal(sealKey, Buffer.from(JSON.stringify(jwk)), contextOf(kid))

/** @throws Failure `internal` when it was sealed under none of these keys */
export function openPrivateJwk(sealKeys: readonly KeyObject[], { kid, sealedPrivateJwk }: SigningKey): JWK {
  const opened = unseal(sealKeys, sealedPrivateJwk, contextOf(kid))
  if (!opened) {
    throw new Failure(
      'internal',
      'the signing keys were sealed under another master key: configure that one, or as previous_master_key',
    )
  }
  return JSON.parse(opened.toString()) as JWK
}
