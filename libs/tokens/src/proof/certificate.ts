import { hash, X509Certificate } from 'node:crypto'
import type { JSONWebKeySet } from 'jose'
import type { PeerCertificate } from 'node:tls'
import type { Client } from '../client.ts'

/** The parts of a peer's certificate that a client is known by (RFC 8705 section 2.1.2). */
export interface CertificateNames {
  /** RFC 4514. */
  readonly subjectDn: string
  readonly sanDns: readonly string[]
}

/** The certificates of a TLS connection. That the peer has the private key was proved by the handshake. */
export interface PeerCertificates {
  /** One that the configured authority vouches for. */
  readonly clientCertificate: PeerCertificate | undefined
  /** Any: it says nothing by itself. */
  readonly presentedCertificate: PeerCertificate | undefined
}

/** `x5t#S256` (RFC 8705 section 3.1): base64url SHA-256 of the certificate. */
export const certificateThumbprint = ({ raw }: Pick<PeerCertificate, 'raw'>): string => hash('sha256', raw, 'base64url')

/** Values that hold a comma are quoted, so that no value can pass for another name. */
const alternative = /(?:^|, )([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)/gy

export function certificateNames({ raw }: Pick<PeerCertificate, 'raw'>): CertificateNames {
  const { subject, subjectAltName } = new X509Certificate(raw)
  // Node writes the names line by line, escaped already; RFC 4514 writes them in reverse order, and a plus without spaces.
  const subjectDn = (subject ?? '').replaceAll(' + ', '+').split('\n').reverse().join(',')
  const alternatives = [...(subjectAltName ?? '').matchAll(alternative)]
  return { subjectDn, sanDns: alternatives.flatMap(([, type, value]) => (type === 'DNS' ? [value!] : [])) }
}

/** Whether a certificate of the authority is this client's (RFC 8705 section 2.1). */
export function isNamed({ certificate }: Client, { sanDns, subjectDn }: CertificateNames): boolean {
  const { sanDns: expectedSan, subjectDn: expectedDn } = certificate ?? {}
  if (expectedSan !== undefined && sanDns.includes(expectedSan)) return true
  return expectedDn !== undefined && subjectDn === expectedDn
}

/** Whether a certificate is one of those in a client's keys (RFC 8705 section 2.2): `x5c` begins with the client's own. */
export const isRegistered = ({ raw }: Pick<PeerCertificate, 'raw'>, { keys }: JSONWebKeySet): boolean =>
  keys.some(({ x5c: chain }) => typeof chain?.[0] === 'string' && raw.equals(Buffer.from(chain[0], 'base64')))
