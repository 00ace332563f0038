import type { PeerCertificate } from 'node:tls'
import { parseBasic } from '@countersign/chassis'
import { Failure } from '@countersign/contracts'
import { ActorKind } from '@countersign/contracts/events'
import { ClientRecord } from '@countersign/contracts/records'
import type { Store } from '@countersign/store'
import {
  certificateNames,
  clientKey,
  remembering,
  type Asker,
  type Client,
  type ClientAuthentication,
} from '@countersign/tokens'
import { limits } from '../limits.ts'

/** Who calls, as the transport knows it. */
export interface CallContext {
  readonly metadata: { get(name: string): readonly (string | Buffer)[] }
  readonly peerAddress: string
  /** Verified (mutual TLS). */
  readonly peerCertificate: PeerCertificate | undefined
}

/** W3C trace context. */
const traceContext = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/

export interface OperatorsOptions {
  authentication: ClientAuthentication
  store: Pick<Store, 'get'>
}

/**
 * The client that may administer, by its credentials or its certificate, as events tell it.
 * @throws Failure `invalid_client`, `too_many_requests`; `access_denied` for any other client, and for a disabled one
 */
export async function operatorOf(context: CallContext, { authentication, store }: OperatorsOptions): Promise<Asker> {
  const { id, administers } = await clientOf(context, authentication)
  if (!administers) throw new Failure('access_denied', 'this client may not administer: it needs admin: true')
  const [held] = await store.get([clientKey(0, id)])
  if (!held || ClientRecord.decode(held.value).disabledAt !== 0) {
    throw new Failure('access_denied', 'this client is disabled')
  }
  const text = (name: string) => context.metadata.get(name)[0]?.toString() ?? ''
  return {
    kind: ActorKind.OPERATOR,
    id,
    address: context.peerAddress,
    userAgent: text('user-agent').slice(0, limits.userAgentCharacters),
    traceparent: traceContext.test(text('traceparent')) ? text('traceparent') : '',
  }
}

function clientOf(
  { metadata, peerAddress, peerCertificate }: CallContext,
  authentication: ClientAuthentication,
): Client | Promise<Client> {
  const authorization = metadata.get('authorization')[0]?.toString()
  const known = authorization === undefined ? undefined : authentication.remembered(authorization)
  if (known) return known
  const basic = parseBasic(authorization)
  if (basic) return remembering(authentication, authorization!, basic, peerAddress)
  const client = peerCertificate && authentication.certified(certificateNames(peerCertificate))
  if (!client) throw new Failure('invalid_client', 'authenticate with client credentials or a client certificate')
  return client
}
