import { hash, timingSafeEqual } from 'node:crypto'

/** RFC 7636 section 4.2: S256 makes 43 characters of base64url. */
export const isCodeChallenge = (challenge: string): boolean => /^[A-Za-z0-9_-]{43}$/.test(challenge)

/** RFC 7636 section 4.1. */
export const isCodeVerifier = (verifier: string): boolean => /^[A-Za-z0-9\-._~]{43,128}$/.test(verifier)

/** Whether a verifier is the one that the challenge was made of; S256 is the only method (RFC 9700 section 2.1.1). */
export function matchesChallenge(verifier: string, challenge: string): boolean {
  if (!isCodeVerifier(verifier) || !isCodeChallenge(challenge)) return false
  return timingSafeEqual(Buffer.from(hash('sha256', verifier, 'base64url')), Buffer.from(challenge))
}
