export type { JWK, JWTPayload } from 'jose'
export { createKeyRing, type KeyRing, type KeyRingOptions, type Verified } from './key-ring.ts'
export {
  keySetKey,
  openPrivateJwk,
  publicJwkOf,
  sealPrivateJwk,
  signerOf,
  stateOf,
  type SigningKeyState,
} from './signing-key.ts'
