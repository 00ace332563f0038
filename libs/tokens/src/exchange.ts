import { Failure, type Millis } from '@countersign/contracts'
import { TokenKind, type ClientRecord, type Confirmation, type TokenRecord } from '@countersign/contracts/records'
import { accessToken, type AccessToken } from './access-token.ts'
import { grantedAudience, grantedScope, type Client } from './client.ts'
import { beginCommit, scopesOf, tell, type Deciding } from './deciding.ts'
import { fingerprintOf, type ParsedToken, type TokenFormat } from './format.ts'
import { isLive, maySee, toldSubject } from './introspect.ts'
import type { Issued } from './issue.ts'
import { limits } from './limits.ts'
import { clientKey, grantKey, ownerOf, tokenKey, type Held, type Versioned } from './records.ts'
import { holdsKey } from './refresh-token.ts'
import { standingOf } from './standing.ts'

/** A token of ours that is presented in an exchange. */
export interface PresentedToken {
  readonly parsed: Pick<ParsedToken, 'partition' | 'recordDigest'>
  readonly held: Held
}

/** What a client asks for, whatever it exchanges. */
export interface ExchangeTerms {
  readonly client: Client
  /** Its state, in the partition that the new token will be in. */
  readonly clientRecord: Versioned<ClientRecord> | undefined
  /** Who is to act for the subject; undefined: the client takes the subject's place. */
  readonly actor: PresentedToken | undefined
  readonly scope: string | undefined
  readonly resources: readonly string[]
  /** What the client proved to hold with this request. */
  readonly confirmation: Confirmation | undefined
}

export interface ExchangeRequest extends ExchangeTerms {
  readonly subject: PresentedToken
}

/**
 * Decides the exchange of one of our tokens (RFC 8693 section 2): for no more scope, no longer, and for resources that
 * the exchanging client may have tokens for. What comes of it hangs on the same grant, and on the token it came from.
 * @param secret 32 random bytes
 * @throws Failure `invalid_client` for a disabled client, `invalid_request` for a token that is not good,
 * `invalid_scope`, `invalid_target`
 */
export function exchange(request: ExchangeRequest, format: TokenFormat, secret: Uint8Array, by: Deciding): Issued {
  const { client, subject, scope, resources, confirmation } = request
  const { held, parsed } = subject
  const { record, version } = held.token
  const { partition } = parsed
  const state = enabledState(request)
  const isOwner = checkPresented(subject, 'subject_token', request, by.now)
  const { actors, notAfter } = actorOf(request, by.now)
  const ancestors = [parsed.recordDigest, ...record.ancestors]
  if (ancestors.length > limits.exchangesInARow) {
    throw new Failure('invalid_request', `a token is exchanged at most ${limits.exchangesInARow} times in a row`)
  }
  const grant = held.grant!
  const terms = {
    client,
    partition,
    grant: grant.record,
    scope: exchangedScope(client, isOwner ? scopesOf(record.scope) : passedOn(client, record.scope), scope),
    audience: audienceOf(client, isOwner, record, resources),
    clientEpoch: state.record.epoch,
    subjectEpoch: record.subjectEpoch,
    confirmation,
    ancestors,
    actors: [...actors, ...record.actors],
    notAfter: Math.min(record.expiresAt, notAfter),
    standing: standingOf(held.subject?.record, grant.record.provider),
  }
  const access = withOwners(accessToken(terms, format, secret, by.now), subject)
  const commit = beginCommit(by, partition)
  commit.checks.push(
    { key: tokenKey(partition, parsed.recordDigest), version },
    { key: grantKey(partition, grant.record.id), version: grant.version },
    { key: clientKey(partition, client.id), version: state.version },
  )
  commit.puts.push(access.put)
  tell(commit, by, {
    type: 'token.exchanged',
    subject: grant.record.subject || grant.record.clientId,
    clientId: client.id,
    grantId: grant.record.id,
    tokenFingerprint: fingerprintOf(access.digest),
    scopes: scopesOf(terms.scope),
    attributes: { from: fingerprintOf(parsed.recordDigest), ...actorAttribute(actors) },
  })
  return { commit, access }
}

/** The client's state, if it may have tokens. @throws Failure `invalid_client` */
export function enabledState({ clientRecord }: Pick<ExchangeTerms, 'clientRecord'>): Versioned<ClientRecord> {
  if (clientRecord?.record.disabledAt === 0) return clientRecord
  throw new Failure('invalid_client', 'this client is disabled')
}

/**
 * Who is to act, as the token will name them (RFC 8693 section 4.1), and until when their own token is good.
 * @throws Failure `invalid_request`
 */
export function actorOf(
  terms: Pick<ExchangeTerms, 'actor' | 'client' | 'confirmation'>,
  now: Millis,
): { actors: readonly string[]; notAfter: Millis } {
  const { actor } = terms
  if (!actor) return { actors: [], notAfter: Infinity }
  checkPresented(actor, 'actor_token', terms, now)
  const { grant, token } = actor.held
  if (token.record.actors.length > 0) {
    // The chain tells who acted one after the other; it has no place for somebody who acts for an actor.
    throw new Failure('invalid_request', 'actor_token is one that somebody else acts with')
  }
  return { actors: [toldSubject(grant!.record)], notAfter: token.record.expiresAt }
}

/** As events tell it. */
export const actorAttribute = ([actor]: readonly string[]): Record<string, string> =>
  actor === undefined ? {} : { actor }

/**
 * The scope of an exchanged token: within what it comes from, and within the client's own scopes where it has any.
 * @throws Failure `invalid_scope`, also when nothing would be left of it
 */
export function exchangedScope(client: Client, held: readonly string[], requested: string | undefined): string {
  const allowed = client.scopes.length === 0 ? held : held.filter((scope) => client.scopes.includes(scope))
  if (held.length > 0 && allowed.length === 0) {
    throw new Failure('invalid_scope', 'subject_token has none of the scopes that this client may have')
  }
  return grantedScope(allowed, requested)
}

/**
 * The scopes of a token that a resource server was sent. What opens userinfo is not among them, unless its own scopes say so:
 * a token that was bound to its sender's key could not be used there by the resource server.
 */
const passedOn = (client: Client, scope: string): string[] =>
  scopesOf(scope).filter((each) => each !== 'openid' || client.scopes.includes(each))

/**
 * A client exchanges what it can have come by honestly: a token that was issued to it, or, as a resource server, one that
 * was sent to it. What is not its own is told apart from what is not good by nobody.
 * @returns whether the token was issued to the client
 * @throws Failure `invalid_request` (RFC 8693 section 2.2.2)
 */
function checkPresented(
  { held }: PresentedToken,
  parameter: 'subject_token' | 'actor_token',
  { client, confirmation }: Pick<ExchangeTerms, 'client' | 'confirmation'>,
  now: Millis,
): boolean {
  const { record } = held.token
  const grant = held.grant?.record
  const isOwner = grant !== undefined && ownerOf(record, grant) === client.id
  // Nobody knows who a public client is: that it is a resource server proves nothing.
  const isReceiver = !client.public && maySee(client, record.audience)
  if (record.kind !== TokenKind.ACCESS_TOKEN || !isLive(held, now) || !(isOwner || isReceiver)) throw notGood(parameter)
  // A bound token is worth nothing without its key (RFC 9449 section 1), and an exchange must not free whoever stole it of
  // that. A resource server was sent it along with a proof meant for itself, and can never prove more: it stands for the
  // proof that it saw, and gets a token for what it may call (its audience), bound to its own key if it proves one.
  if (isOwner && !holdsKey(record.confirmation, confirmation)) {
    throw new Failure('invalid_request', `${parameter} is bound to a key: prove it with this request`)
  }
  return isOwner
}

const notGood = (parameter: string): Failure =>
  new Failure('invalid_request', `${parameter} is expired, revoked, or not for this client (RFC 8693 section 2.2.2)`)

/**
 * Named resources must be the client's. Without any, its own token stays for what it was for; a token that it was sent is
 * never for the same again, or a resource server could use it in the place of the one who sent it.
 */
function audienceOf(
  client: Client,
  isOwner: boolean,
  { audience }: TokenRecord,
  resources: readonly string[],
): readonly string[] {
  if (isOwner && resources.length === 0) return audience
  if (client.audience.length === 0) throw new Failure('invalid_target', 'this client has no audience to call')
  return grantedAudience(client.audience, resources)
}

/** Whoever had one of the tokens in between is read along: to disable one of them ends what came of it. */
function withOwners(access: AccessToken, { held, parsed }: PresentedToken): AccessToken {
  const owners = [held.token, ...(held.ancestors?.values() ?? [])].map(({ record }) =>
    ownerOf(record, held.grant!.record),
  )
  const links = new Set([...access.put.links!, ...owners.map((owner) => clientKey(parsed.partition, owner))])
  return { ...access, put: { ...access.put, links: [...links] } }
}
