import { hash } from 'node:crypto'
import { Failure } from '@countersign/contracts'
import type { AuthenticationMethod, Client, Clients } from './client.ts'
import { limits } from './limits.ts'
import { assertionType, isAsserted, readAssertion, type Assertion, type Assertions } from './proof/assertion.ts'
import {
  certificateNames,
  isNamed,
  isRegistered,
  type CertificateNames,
  type PeerCertificates,
} from './proof/certificate.ts'
import { refusedClient, withKeys } from './proof/client-keys.ts'
import type { Secrets, StoredSecret } from './secret.ts'

export interface Credentials {
  readonly id: string
  readonly secret: string
}

type MaybePromise<T> = T | Promise<T>

/** Counts failures per key and says when to stop listening. */
export interface FailureThrottle {
  /** Seconds to wait, or undefined when the key may try. */
  blockedSeconds(key: string): MaybePromise<number | undefined>
  fail(key: string): MaybePromise<void>
}

/** Goes on at once where it can: who is remembered and who has a plain secret shall not wait for a turn of the loop. */
const after = <T, R>(value: MaybePromise<T>, next: (value: T) => MaybePromise<R>): MaybePromise<R> =>
  value instanceof Promise ? value.then(next) : next(value)

/** All of these throw Failure `invalid_client`, alike for whatever is wrong, and `too_many_requests`. */
export interface ClientAuthentication {
  /** The client that these credentials are of; a promise only where a password hash, the store or the throttle is waited for. */
  confidential(
    credentials: Credentials,
    address: string,
    way?: 'client_secret_basic' | 'client_secret_post',
  ): MaybePromise<Client>
  /** The client that made an assertion (`private_key_jwt`). @param path of the endpoint that it was sent to */
  asserted(assertion: Assertion, address: string, path: string): Promise<Client>
  /** The client that names itself: by its certificate (RFC 8705), or, where `publicToo`, because it is a public one. */
  named(id: string, address: string, peer: PeerCertificates | undefined, publicToo: boolean): MaybePromise<Client>
  /** The configured client that this certificate is of, if it is one's. */
  certified(names: CertificateNames): Client | undefined
  /** The client that this very Authorization header was verified for before, with secrets that still hold. */
  remembered(authorization: string): Client | undefined
  remember(authorization: string, client: Client): void
}

/** What a client authentication may be made with besides. */
export interface FurtherAuthentication {
  /** Clients that are not in the configuration. */
  readonly find?: ((id: string) => MaybePromise<Client | undefined>) | undefined
  /** Without them nobody authenticates by an assertion or by a certificate of his own. */
  readonly assertions?: Assertions | undefined
}

const byDefault: readonly AuthenticationMethod[] = ['client_secret_basic', 'client_secret_post', 'tls_client_auth']

function permits({ authenticationMethod: only, public: isPublic }: Client, way: AuthenticationMethod): boolean {
  if (way === 'none') return isPublic && (only === undefined || only === 'none')
  return only === undefined ? byDefault.includes(way) : only === way
}

/** Lets those through who did not fail too often. */
function createGate(throttle: FailureThrottle) {
  return {
    /** Goes on with the key to count a failure under, unless this client failed too often from this address. */
    enter<T>(id: string, address: string, next: (key: string) => MaybePromise<T>): MaybePromise<T> {
      const name = id.length <= limits.clientIdCharacters ? id : hash('sha256', id, 'base64url')
      const key = `${address} ${name}`
      return after(throttle.blockedSeconds(key), (blocked) => {
        if (blocked === undefined) return next(key)
        throw new Failure('too_many_requests', 'too many failed authentications', { retryAfterSeconds: blocked })
      })
    },
    failed: (key: string): MaybePromise<never> =>
      after(throttle.fail(key), () => {
        throw refusedClient()
      }),
  }
}

async function isCertified(client: Client, peer: PeerCertificates, keysOf: Assertions['keysOf']): Promise<boolean> {
  if (permits(client, 'self_signed_tls_client_auth')) {
    const certificate = peer.presentedCertificate
    const keys = certificate && keysOf(client)
    return keys ? isRegistered(certificate, await withKeys(keys.keySet())) : false
  }
  const certificate = permits(client, 'tls_client_auth') ? peer.clientCertificate : undefined
  return certificate !== undefined && isNamed(client, certificateNames(certificate))
}

/** @param clients of the configuration, as it is now */
export function createClientAuthentication(
  clients: () => Clients,
  secrets: Secrets,
  throttle: FailureThrottle,
  { find: findElsewhere, assertions }: FurtherAuthentication = {},
): ClientAuthentication {
  const verified = new Map<string, Pick<Client, 'id' | 'secrets'>>()
  const { enter, failed } = createGate(throttle)
  const find = (id: string): MaybePromise<Client | undefined> => {
    const client = clients().get(id)
    return client || id.length > limits.clientIdCharacters ? client : findElsewhere?.(id)
  }

  return {
    confidential({ id, secret }, address, way = 'client_secret_basic') {
      return enter(id, address, (key) =>
        after(find(id), (client) => {
          // An unknown client is verified against somebody's hash, so that it takes as long to refuse as a known one.
          const verdict = secrets.verify(secret, client ? client.secrets : decoys(clients()))
          return after(verdict, (good) => (good && client && permits(client, way) ? client : failed(key)))
        }),
      )
    },

    async asserted(assertion, address, path) {
      return enter(assertion.clientId, address, async (key) => {
        const client = await find(assertion.clientId)
        if (!client || !assertions || !permits(client, 'private_key_jwt')) return failed(key)
        return (await isAsserted(assertions, client, assertion, path)) ? client : failed(key)
      })
    },

    named(id, address, peer, publicToo) {
      return after(find(id), (client): MaybePromise<Client> => {
        if (client && publicToo && permits(client, 'none')) return client
        if (!client || !peer?.presentedCertificate) throw refusedClient()
        const keysOf = assertions?.keysOf ?? (() => undefined)
        return enter(id, address, async (key) => ((await isCertified(client, peer, keysOf)) ? client : failed(key)))
      })
    },

    certified(names) {
      for (const client of clients().values()) {
        if (permits(client, 'tls_client_auth') && isNamed(client, names)) return client
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
      if (clients().get(id)?.secrets !== held) return
      if (verified.size >= limits.verifiedCredentials) verified.clear()
      verified.set(secrets.nameOf(authorization), { id, secrets: held })
    },
  }
}

export interface ClientRequest {
  /** The Authorization header, and how to read it. */
  readonly authorization: string | undefined
  readonly parseBasic: (authorization: string | undefined) => Credentials | undefined
  readonly form: ReadonlyMap<string, string>
  readonly address: string
  /** Of the endpoint. */
  readonly path: string
  /** The TLS connection's certificates, where there are any; they are asked for only when nothing else is presented. */
  readonly peer?: PeerCertificates | undefined
}

/** @throws Failure `invalid_request` where the form proves a client besides the header, or names another */
function refuseSecondMethod(clientId: string, form: ReadonlyMap<string, string>): void {
  const id = form.get('client_id')
  if (form.has('client_secret') || form.has('client_assertion') || form.has('client_assertion_type')) {
    throw new Failure('invalid_request', 'use one way of client authentication, not two')
  }
  if (id !== undefined && id !== clientId) {
    throw new Failure('invalid_request', 'client_id is not the client that authenticates')
  }
}

/**
 * The client that a request is of (RFC 6749 section 2.3, RFC 7523, RFC 8705). Where `publicToo`, a public client may just
 * name itself (RFC 7009 section 2.1).
 * @throws Failure `invalid_request` for two ways at once, `invalid_client`, `too_many_requests`, `unavailable`
 */
export function authenticateClient(
  authentication: ClientAuthentication,
  { authorization, parseBasic, form, address, path, peer }: ClientRequest,
  publicToo: boolean,
): MaybePromise<Client> {
  const known = authorization === undefined ? undefined : authentication.remembered(authorization)
  if (known) {
    refuseSecondMethod(known.id, form)
    return known
  }
  const basic = parseBasic(authorization)
  if (basic) {
    refuseSecondMethod(basic.id, form)
    return remembering(authentication, authorization!, basic, address)
  }
  const id = form.get('client_id')
  const secret = form.get('client_secret')
  if (form.has('client_assertion') || form.has('client_assertion_type')) {
    if (secret !== undefined) throw new Failure('invalid_request', 'use one way of client authentication, not two')
    const isTyped = form.get('client_assertion_type') === assertionType
    const assertion = isTyped ? readAssertion(form.get('client_assertion') ?? '') : undefined
    if (!assertion || (id !== undefined && id !== assertion.clientId)) throw refusedClient()
    return authentication.asserted(assertion, address, path)
  }
  if (id === undefined) throw new Failure('invalid_client', 'client authentication is required')
  if (secret !== undefined) return authentication.confidential({ id, secret }, address, 'client_secret_post')
  return authentication.named(id, address, peer, publicToo)
}

/** Verifies what an Authorization header holds, and remembers it. @throws Failure `invalid_client`, `too_many_requests` */
export function remembering(
  authentication: ClientAuthentication,
  authorization: string,
  credentials: Credentials,
  address: string,
): MaybePromise<Client> {
  return after(authentication.confidential(credentials, address, 'client_secret_basic'), (client) => {
    authentication.remember(authorization, client)
    return client
  })
}

/** One client's hashed secrets, or none when no client has any. */
function decoys(clients: Clients): readonly StoredSecret[] {
  for (const { secrets } of clients.values()) {
    if (secrets.some((secret) => secret.kind === 'scrypt')) return secrets
  }
  return []
}
