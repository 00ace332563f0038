import { limits as service } from '../limits.ts'

/** The bounds of the signing keys' rotation. */
export const limits = {
  /** Bytes of the key that pairwise subjects are made under. */
  pairwiseKeyBytes: 32,
  /** Milliseconds for which a key is published before it signs: whoever keeps the key set has fetched it again by then. */
  publishBeforeMs: 2 * service.jwksMaxAgeSeconds * 1_000,
  /** Milliseconds for which a retired key stays published at least: an old ID token is a hint at sign-out for so long. */
  leastKeptMs: 86_400_000,
  /** Milliseconds between two looks at whether a key is due. */
  checkEveryMs: 60_000,
} as const
