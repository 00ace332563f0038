import type { Log } from '../log.ts'

/** How this process proves who it is; a `.creds` file is given by its contents. */
export type NatsCredentials = { user: string; password: string } | { token: string } | { creds: string }

/** PEM texts, or paths of PEM files. Without `ca` the system's authorities are trusted. */
export interface NatsTls {
  ca?: string
  caFile?: string
  cert?: string
  certFile?: string
  key?: string
  keyFile?: string
  /** The server begins with TLS, without a word before it (`handshake_first`). */
  handshakeFirst?: boolean
}

export interface NatsOptions {
  /** `nats://host:port` or `tls://host:port`, tried in turn; one `tls://` makes TLS required of all. */
  servers: string[]
  /** What NATS shows for this process. */
  name: string
  tls?: NatsTls
  credentials?: NatsCredentials
  /** Copies of the stream in a NATS cluster. */
  replicas?: number
  maxAgeMs?: number
  maxBytes?: number
  log?: Log
  onState?: (state: 'up' | 'down') => void
}
