import { createHash } from 'node:crypto'
import type { IntrospectResponse } from '@countersign/contracts/introspection'
import { ManualClock } from '@countersign/leased-cache/testing'
import { LeasedVerifier, type VerifierParts } from '../verifier.ts'
import { inactive, MemoryUpstream } from './memory-upstream.ts'

/** The text of an opaque token of partition 0. */
export const tokenText = (name: string): string => `cs_at_0000000${name.padStart(48, 'x')}`

/** The fact that revokes a token. */
export const revocationOf = (token: string) =>
  ({ kind: 'token', id: createHash('sha256').update(token).digest('base64url') }) as const

/** Lets everything at hand be done. */
export async function turn(): Promise<void> {
  for (let n = 0; n < 3; n++) await new Promise((resolve) => setImmediate(resolve))
}

/** A verifier before its service, both in memory. */
export function setting(parts: Partial<VerifierParts> = {}) {
  const clock = new ManualClock()
  const upstream = new MemoryUpstream()
  const lines: string[] = []
  const log = {
    info: (message: string) => void lines.push(`info: ${message}`),
    warn: (message: string) => void lines.push(`warn: ${message}`),
  }
  const verifier = new LeasedVerifier({
    upstream,
    clock,
    random: () => 0.5,
    maxStalenessMs: 1_000,
    cacheEntries: 1_000,
    deadlineMs: 2_000,
    name: 'test',
    log,
    ...parts,
  })
  /** Issues a token that belongs to a person. */
  const issue = (name: string, claims: Partial<IntrospectResponse> = {}): string => {
    const token = tokenText(name)
    const exp = Math.floor(clock.now() / 1_000) + 300
    upstream.tokens.set(token, { ...activeAnswer(name), exp, iat: exp - 300, ...claims })
    return token
  }
  /** What was asked about, one list a message. */
  const asked = () => upstream.messages.map(({ questions }) => questions.map(({ token }) => token))
  return { verifier, clock, upstream, lines, issue, asked }
}

const activeAnswer = (name: string): IntrospectResponse => ({
  ...inactive,
  active: true,
  scope: 'read:reports write:reports',
  clientId: 'web',
  tokenType: 'Bearer',
  sub: `subject of ${name}`,
  aud: ['https://reports.example'],
  iss: 'https://issuer.example',
  jti: `id of ${name}`,
  roles: ['editor'],
  revokedBy: {
    partition: 0,
    grantId: `grant-${name}`,
    sessionId: `session-${name}`,
    subject: `person-${name}`,
    also: [],
  },
})
