export { openPairwiseKey } from './pairwise-key.ts'
export { startRotation, type Rotation, type RotationOptions } from './rotation.ts'
export {
  openSigningKeys,
  readSigningKeys,
  rotateSigningKeys,
  upkeepSigningKeys,
  type SigningKeysOptions,
  type UpkeepOptions,
} from './signing-keys.ts'
