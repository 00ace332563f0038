import { ServerCredentials } from '@grpc/grpc-js'
import type { SecureContextOptions } from 'node:tls'
import { serverLimits } from './limits.ts'

/** PEM texts. */
export interface ServerTls {
  cert: string | Buffer
  key: string | Buffer
  /**
   * The authority whose certificates prove a client. Clients may come without one and authenticate otherwise; one that
   * this authority did not sign counts as none.
   */
  clientCa?: string | Buffer
}

const contextOptions = ({ cert, key, clientCa }: ServerTls): SecureContextOptions =>
  clientCa === undefined ? { cert, key } : { cert, key, ca: clientCa }

/** TLS 1.2 or newer; client certificates are asked for when there is an authority to check them. */
export class TlsServerCredentials extends ServerCredentials {
  constructor(tls: ServerTls) {
    const connection = { requestCert: tls.clientCa !== undefined, rejectUnauthorized: false }
    super(
      { ...connection, minVersion: 'TLSv1.2', handshakeTimeout: serverLimits.handshakeMs } as object,
      contextOptions(tls),
    )
  }

  /** For connections made from now on. */
  replace(tls: ServerTls): void {
    this.updateSecureContextOptions(contextOptions(tls))
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other
  }
}
