import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, randomBytes, type KeyObject } from 'node:crypto'

const algorithm = 'aes-256-gcm'
const nonceBytes = 12
const tagBytes = 16

/** The key that secrets at rest are sealed under, from a master key of at least 32 bytes. */
export const sealKeyFrom = (masterKey: Uint8Array): KeyObject =>
  createSecretKey(Buffer.from(hkdfSync('sha256', masterKey, '', 'countersign seal v1', 32)))

/** AES-256-GCM: nonce, ciphertext, tag. `context` (e.g. the key id) must be the same to open it again. */
export function seal(key: KeyObject, plain: Uint8Array, context: string, nonce = randomBytes(nonceBytes)): Buffer {
  const cipher = createCipheriv(algorithm, key, nonce).setAAD(Buffer.from(context))
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
}

/** Undefined when none of the keys opens it in this context. */
export function unseal(keys: readonly KeyObject[], sealed: Uint8Array, context: string): Buffer | undefined {
  if (sealed.length < nonceBytes + tagBytes) return undefined
  const bytes = Buffer.from(sealed)
  for (const key of keys) {
    const decipher = createDecipheriv(algorithm, key, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes })
    decipher.setAAD(Buffer.from(context)).setAuthTag(bytes.subarray(-tagBytes))
    try {
      return Buffer.concat([decipher.update(bytes.subarray(nonceBytes, -tagBytes)), decipher.final()])
    } catch {
      continue
    }
  }
  return undefined
}
