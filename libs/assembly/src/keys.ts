import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'

/** A secret for one purpose, the same wherever the master key is. */
const derive = (masterKey: Uint8Array, purpose: string, bytes: number): Buffer =>
  Buffer.from(hkdfSync('sha256', masterKey, '', `countersign ${purpose}`, bytes))

export const keyFor = (masterKey: Uint8Array, purpose: string): KeyObject =>
  createSecretKey(derive(masterKey, purpose, 32))

/** What login proves to token-issuer with that it is login. */
export const loginCredentials = (masterKey: Uint8Array): { id: string; secret: string } => ({
  id: 'login',
  secret: derive(masterKey, 'service login v1', 32).toString('base64url'),
})

/** Of the link that makes the first account: whoever has the master key may. */
export const setupTokenFrom = (masterKey: Uint8Array): string =>
  derive(masterKey, 'setup link v1', 18).toString('base64url')
