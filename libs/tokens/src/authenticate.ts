import { hash } from 'node:crypto'
import { Failure } from '@countersign/contracts'
import type { Client, Clients } from './client.ts'
import { limits } from './limits.ts'
import type { Secrets } from './secret.ts'
import { type StoredSecret } from './secret.ts'

export interface Credentials {
  readonly id: string
  readonly secret: string
}

/** The parts of a peer's certificate that a client is known by (RFC 8705 section 2.1.2). */
export interface CertificateNames {
  readonly subjectDn: string
  readonly sanDns: readonly string[]
}

/** Counts failures per key and says when to stop listening. */
export interface FailureThrottle {
  /** Seconds to wait, or undefined when the key may try. */
  blockedSeconds(key: string): number | undefined
  fail(key: string): void
}

/** @throws Failure `invalid_request` where the form names a client besides the header */
function refuseSecondMethod(clientId: string, form: ReadonlyMap<string, string>): void {
  const id = form.get('client_id')
  if (form.has('client_secret')) throw new Failure('invalid_request', 'use one way of client authentication, not two')
  if (id !== undefined && id !== clientId) {
    throw new Failure('invalid_request', 'client_id is not the client that authenticates')
  }
}

/**
 * What a request presents, from its Authorization header and form (RFC 6749 section 2.3).
 * @throws Failure `invalid_request` for two methods at once
 */
function presentedCredentials(
  basic: Credentials | undefined,
  form: ReadonlyMap<string, string>,
): { id: string; secret: string | undefined } | undefined {
  const id = form.get('client_id')
  const secret = form.get('client_secret')
  if (basic) {
    refuseSecondMethod(basic.id, form)
    return basic
  }
  return id === undefined ? undefined : { id, secret }
}

const refused = () => new Failure('invalid_client', 'client authentication failed')

export interface ClientAuthentication {
  /**
   * The client that these credentials are of; a promise only where a password hash must be computed.
   * @throws Failure `invalid_client`, alike for an unknown client and a wrong secret; `too_many_requests`
   */
  confidential(credentials: Credentials, address: string): Client | Promise<Client>
  /** The client that this certificate is of, if it is one's. */
  certified(names: CertificateNames): Client | undefined
  /** The client that this very Authorization header was verified for before, with secrets that still hold. */
  remembered(authorization: string): Client | undefined
  remember(authorization: string, client: Client): void
  /** A public client that names itself. @throws Failure `invalid_client` */
  named(id: string): Client
}

export function createClientAuthentication(
  clients: () => Clients,
  secrets: Secrets,
  throttle: FailureThrottle,
): ClientAuthentication {
  const verified = new Map<string, Pick<Client, 'id' | 'secrets'>>()
  const failed = (key: string): never => {
    throttle.fail(key)
    throw refused()
  }
  return {
    confidential({ id, secret }, address) {
      const name = id.length <= limits.clientIdCharacters ? id : hash('sha256', id, 'base64url')
      const key = `${address} ${name}`
      const blocked = throttle.blockedSeconds(key)
      if (blocked !== undefined) {
        throw new Failure('too_many_requests', 'too many failed authentications', { retryAfterSeconds: blocked })
      }
      const client = clients().get(id)
      // An unknown client is verified against somebody's hash, so that it takes as long to refuse as a known one.
      const verdict = secrets.verify(secret, client ? client.secrets : decoys(clients()))
      if (typeof verdict === 'boolean') return verdict && client ? client : failed(key)
      return verdict.then((good) => (good && client ? client : failed(key)))
    },

    certified(names) {
      for (const client of clients().values()) {
        const { sanDns, subjectDn } = client.certificate ?? {}
        if (sanDns !== undefined && names.sanDns.includes(sanDns)) return client
        if (subjectDn !== undefined && names.subjectDn === subjectDn) return client
      }
      return undefined
    },

    remembered(authorization) {
      const known = verified.get(secrets.nameOf(authorization))
      const client = known && clients().get(known.id)
      // Another configuration holds its secrets anew: then it is verified anew.
      return client?.secrets === known?.secrets ? client : undefined
    },

    remember(authorization, { id, secrets: held }) {
      if (verified.size >= limits.verifiedCredentials) verified.clear()
      verified.set(secrets.nameOf(authorization), { id, secrets: held })
    },

    named(id) {
      const client = clients().get(id)
      if (!client?.public) throw refused()
      return client
    },
  }
}

export interface ClientRequest {
  /** The Authorization header, and how to read it. */
  readonly authorization: string | undefined
  readonly parseBasic: (authorization: string | undefined) => Credentials | undefined
  readonly form: ReadonlyMap<string, string>
  readonly address: string
}

/**
 * The client that a request is of. Where `publicToo`, a public client may just name itself (RFC 7009 section 2.1).
 * @throws Failure `invalid_request`, `invalid_client`, `too_many_requests`
 */
export function authenticateClient(
  authentication: ClientAuthentication,
  { authorization, parseBasic, form, address }: ClientRequest,
  publicToo: boolean,
): Client | Promise<Client> {
  const known = authorization === undefined ? undefined : authentication.remembered(authorization)
  if (known) {
    refuseSecondMethod(known.id, form)
    return known
  }
  const presented = presentedCredentials(parseBasic(authorization), form)
  if (!presented) throw new Failure('invalid_client', 'client authentication is required')
  const { id, secret } = presented
  if (secret !== undefined) return remembering(authentication, authorization, { id, secret }, address)
  if (!publicToo) throw refused()
  return authentication.named(id)
}

/** Verifies credentials, and remembers the header that they came in. @throws Failure `invalid_client`, `too_many_requests` */
export function remembering(
  authentication: ClientAuthentication,
  authorization: string | undefined,
  credentials: Credentials,
  address: string,
): Client | Promise<Client> {
  const remember = (client: Client): Client => {
    if (authorization !== undefined) authentication.remember(authorization, client)
    return client
  }
  const client = authentication.confidential(credentials, address)
  return client instanceof Promise ? client.then(remember) : remember(client)
}

/** One client's hashed secrets, or none when no client has any. */
function decoys(clients: Clients): readonly StoredSecret[] {
  for (const { secrets } of clients.values()) {
    if (secrets.some((secret) => secret.kind === 'scrypt')) return secrets
  }
  return []
}
