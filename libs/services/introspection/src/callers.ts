import type { PeerCertificate } from 'node:tls'
import { parseBasic } from '@countersign/chassis'
import { Failure } from '@countersign/contracts'
import {
  certificateNames,
  remembering,
  type CertificateNames,
  type Client,
  type ClientAuthentication,
} from '@countersign/tokens'

/** Who calls, as the transport knows it. */
export interface CallContext {
  readonly metadata: { get(name: string): readonly (string | Buffer)[] }
  readonly peerAddress: string
  /** Verified (mutual TLS). */
  readonly peerCertificate: PeerCertificate | undefined
}

export interface Callers {
  /** @throws Failure `invalid_client`, `too_many_requests` */
  clientOf(context: CallContext): Client | Promise<Client>
}

/** Tells callers by their credentials, or by their certificate. */
export function createCallers(authentication: ClientAuthentication): Callers {
  // Of each connection's certificate: reading one costs more than the call.
  const names = new WeakMap<PeerCertificate, CertificateNames>()
  const namesOf = (certificate: PeerCertificate): CertificateNames => {
    const known = names.get(certificate) ?? certificateNames(certificate)
    names.set(certificate, known)
    return known
  }
  return {
    clientOf({ metadata, peerCertificate, peerAddress }) {
      const authorization = metadata.get('authorization')[0]?.toString()
      const known = authorization === undefined ? undefined : authentication.remembered(authorization)
      if (known) return known
      const basic = parseBasic(authorization)
      if (basic) return remembering(authentication, authorization!, basic, peerAddress)
      const client = peerCertificate && authentication.certified(namesOf(peerCertificate))
      if (!client) throw new Failure('invalid_client', 'authenticate with client credentials or a client certificate')
      return client
    },
  }
}
