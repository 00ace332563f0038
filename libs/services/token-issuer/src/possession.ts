import type { HttpRequest } from '@countersign/chassis'
import { Failure } from '@countersign/contracts'
import type { Confirmation } from '@countersign/contracts/records'
import type { Client } from '@countersign/tokens'
import { certificateThumbprint, type Dpop } from '@countersign/tokens'

/** What a client proves to hold with a request: a DPoP key (RFC 9449), a certificate (RFC 8705). */
export interface Possession {
  /**
   * @param endpoint last part of its path: `token`
   * @throws Failure `invalid_dpop_proof`, `use_dpop_nonce`; `invalid_request` where the client has to prove something, and did not
   */
  of(request: HttpRequest, client: Client, endpoint: string): Promise<Confirmation | undefined>
  /** The thumbprint of the DPoP key alone; undefined without a proof. @throws Failure */
  dpopKey(request: HttpRequest, endpoint: string, accessToken?: string): Promise<string | undefined>
  /** To send along as `DPoP-Nonce`; undefined when nonces are not asked for. */
  nonce(): string | undefined
}

export function createPossession(dpop: Dpop, issuer: string): Possession {
  async function dpopKey(request: HttpRequest, endpoint: string, accessToken?: string): Promise<string | undefined> {
    const proofs = request.headerValues('dpop')
    if (proofs.length === 0) return undefined
    const { method } = request
    const proof = await dpop.check({ proofs, method, url: `${issuer}/oauth2/${endpoint}`, accessToken })
    return proof?.jkt
  }

  return {
    dpopKey,
    nonce: () => dpop.nonce(),

    async of(request, client, endpoint) {
      const jkt = await dpopKey(request, endpoint)
      if (jkt === undefined && client.requiresDpop) {
        throw new Failure('invalid_dpop_proof', 'this client has to send a DPoP proof (RFC 9449 section 5)')
      }
      const certificate = request.presentedCertificate
      const x5tS256 = client.bindsCertificate && certificate ? certificateThumbprint(certificate) : undefined
      if (x5tS256 === undefined && client.bindsCertificate) {
        throw new Failure('invalid_request', 'this client has to use mutual TLS (RFC 8705 section 3)')
      }
      return jkt === undefined && x5tS256 === undefined ? undefined : { jkt: jkt ?? '', x5tS256: x5tS256 ?? '' }
    },
  }
}
