/** The bounds of the token-issuer service. */
export const limits = {
  /** Times a decision is made anew when its commit conflicts. */
  attempts: 3,
  /** Client records of one partition read at once while clients are reconciled. */
  clientsPerPage: 500,
  /** Seconds that relying parties may keep the key set; keys are published at least twice as long before use. */
  jwksMaxAgeSeconds: 300,
  /** Bits of an RSA signing key. */
  rsaBits: 2_048,
} as const
