import {
  createFailureLog,
  networkOf,
  oauthFailure,
  type FailureLog,
  type HttpAnswer,
  type Log,
  type Reach,
} from '@countersign/chassis'
import { asFailure, Failure } from '@countersign/contracts'
import { ActorKind } from '@countersign/contracts/events'
import { TokenKind, type RegistrationRecord } from '@countersign/contracts/records'
import {
  hashSecret,
  tokenSecretBytes,
  type Asker,
  type AuthenticationMethod,
  type Secrets,
  type TokenFormat,
} from '@countersign/tokens'
import { Router, type Request, type Response } from 'express'
import type { Limiter } from '../limiter.ts'
import { limits } from '../limits.ts'
import { informationAnswer, refusalAnswer, unauthorizedAnswer, type Issued } from './answers.ts'
import { readBody } from './body.ts'
import type { RegistrationSettings } from './definition.ts'
import { whichToken } from './initial-tokens.ts'
import { isSectorOf, readMetadata, type ClientMetadata, type ReadMetadata } from './metadata.ts'
import type { Given } from './members.ts'
import type { Opened, Registrations } from './registrations.ts'

export interface RegistrationEndpointOptions {
  issuer: string
  registrations: Registrations
  /** As it is now; while it is off, nothing is there. */
  settings: () => RegistrationSettings
  /** Ways that clients authenticate here, as discovery tells them. */
  authenticationMethods: readonly AuthenticationMethod[]
  format: TokenFormat
  secrets: Secrets
  /** Where URLs of clients may lead that we send requests to. */
  reach: Reach
  /** The JSON document at a URL of a client. @throws Failure when it cannot be had */
  fetchJson: (url: string) => Promise<unknown>
  /** Registrations of one address, and changes of one client. */
  limiter: Limiter
  /** Whether the audit journal is too far behind for new clients. */
  overBacklog: () => boolean
  log: Log
  randomBytes: (bytes: number) => Uint8Array
}

const path = '/oauth2/register'

/** `POST /oauth2/register` (RFC 7591), and `GET`, `PUT` and `DELETE /oauth2/register/{client_id}` (RFC 7592). */
export function registrationRouter(options: RegistrationEndpointOptions): Router {
  const { settings, log } = options
  const desk = new RegistrationEndpoint(options)
  const logFailure = createFailureLog(log)
  const router = Router({ caseSensitive: true, strict: true })
  router.use(path, (_request, _response, next) => next(settings().enabled ? undefined : 'router'))
  router.post(
    path,
    answering(logFailure, (request) => desk.register(request)),
  )
  router.all(path, answering(logFailure, notAllowed('POST')))
  const management = `${path}/:id`
  router.get(
    management,
    answering(logFailure, (request) => desk.read(request)),
  )
  router.put(
    management,
    answering(logFailure, (request) => desk.replace(request)),
  )
  router.delete(
    management,
    answering(logFailure, (request) => desk.remove(request)),
  )
  router.all(management, answering(logFailure, notAllowed('GET, PUT, DELETE')))
  return router
}

type Answering = (request: Request) => Promise<HttpAnswer>

const notAllowed =
  (allow: string): Answering =>
  async () => {
    throw new Failure('method_not_allowed', `${allow} is allowed here`, { headers: { allow } })
  }

const answering =
  (logFailure: FailureLog, answer: Answering) =>
  async (request: Request, response: Response): Promise<void> => {
    const { status, headers, body } = await answer(request).catch((thrown: unknown) => {
      const failure = asFailure(thrown)
      logFailure(failure, { method: request.method, path })
      return oauthFailure(failure)
    })
    response.writeHead(status, { ...headers }).end(body)
  }

/** What a secret is issued for. */
const secretMethods: readonly AuthenticationMethod[] = ['client_secret_basic', 'client_secret_post']

class RegistrationEndpoint {
  readonly #options: RegistrationEndpointOptions

  constructor(options: RegistrationEndpointOptions) {
    this.#options = options
  }

  async register(request: Request): Promise<HttpAnswer> {
    const { settings, limiter, registrations } = this.#options
    await limiter.take(networkOf(request.ip ?? ''))
    const token = bearerOf(request)
    const which = whichToken(settings().initialAccessTokens, token)
    if (which === undefined) return unauthorizedAnswer(token)
    this.#refuseOverBacklog()
    const read = await this.#read(await readBody(request))
    if ('refused' in read) return refusalAnswer(read.refused)
    const issued = await this.#issue(read.metadata, '')
    const asker = (id: string) => askerOf(request, id)
    const attributes = { initial_access_token: String(which + 1) }
    const record = await registrations.create({ ...read, ...issued }, asker, attributes)
    return this.#answer(201, record, read.metadata, issued)
  }

  async read(request: Request): Promise<HttpAnswer> {
    const opened = await this.#open(request)
    if (!opened?.metadata) return unauthorizedAnswer(bearerOf(request))
    return this.#answer(200, opened.registration.record, opened.metadata, { token: bearerOf(request) })
  }

  async replace(request: Request): Promise<HttpAnswer> {
    const opened = await this.#open(request)
    if (!opened?.metadata) return unauthorizedAnswer(bearerOf(request))
    const { clientId, secretHash } = opened.registration.record
    await this.#options.limiter.take(clientId)
    this.#refuseOverBacklog()
    const given = await readBody(request)
    const description = await this.#misfit(given, opened)
    if (description !== undefined) return refusalAnswer({ error: 'invalid_client_metadata', description })
    const read = await this.#read(given)
    if ('refused' in read) return refusalAnswer(read.refused)
    const issued = await this.#issue(read.metadata, secretHash)
    const record = await this.#options.registrations.update(opened, { ...read, ...issued }, askerOf(request, clientId))
    // Somebody was faster, and has the token that is good now.
    return record ? this.#answer(200, record, read.metadata, issued) : unauthorizedAnswer(bearerOf(request))
  }

  async remove(request: Request): Promise<HttpAnswer> {
    const id = idOf(request)
    const token = bearerOf(request)
    const isRemoved = token !== undefined && (await this.#options.registrations.remove(id, token, askerOf(request, id)))
    return isRemoved ? { status: 204, headers: { 'cache-control': 'no-store' } } : unauthorizedAnswer(token)
  }

  async #open(request: Request): Promise<Opened | undefined> {
    const token = bearerOf(request)
    return token === undefined ? undefined : this.#options.registrations.open(idOf(request), token)
  }

  async #read(given: Given): Promise<ReadMetadata> {
    const { settings, authenticationMethods, reach, fetchJson } = this.#options
    const { scopes, grants } = settings()
    const read = readMetadata(given, { scopes, grants, authenticationMethods, reach })
    const sector = 'metadata' in read ? read.metadata.sector_identifier_uri : undefined
    if (!('metadata' in read) || sector === undefined) return read
    const document = await fetchJson(sector).catch(() => undefined)
    if (isSectorOf(document, read.metadata)) return read
    const description = 'what is at sector_identifier_uri is no list of all redirect_uris'
    return { refused: { error: 'invalid_client_metadata', description } }
  }

  /** What is wrong with an update, its metadata apart (RFC 7592 section 2.2). */
  async #misfit(given: Given, { registration: { record } }: Opened): Promise<string | undefined> {
    if (given['client_id'] !== record.clientId) return 'client_id must be that of the client'
    const ours = told.find((name) => Object.hasOwn(given, name))
    if (ours !== undefined) return `${ours} is not for the client to say`
    const { client_secret: secret } = given
    if (secret === undefined || secret === null) return undefined
    const { secrets } = this.#options
    const isOwn =
      typeof secret === 'string' &&
      record.secretHash !== '' &&
      (await secrets.verify(secret, [secrets.hold(record.secretHash)]))
    return isOwn ? undefined : 'client_secret is not that of the client, and none can be chosen'
  }

  /** A new registration access token, and a secret for a client that needs one and has none. */
  async #issue(
    metadata: ClientMetadata,
    heldHash: string,
  ): Promise<Issued & { secretHash: string; tokenDigest: string }> {
    const { format, randomBytes } = this.#options
    const { token, digest: tokenDigest } = format.mint(TokenKind.REGISTRATION, 0, randomBytes(tokenSecretBytes))
    const needsSecret = secretMethods.includes(metadata.token_endpoint_auth_method)
    if (!needsSecret || heldHash !== '') return { token, tokenDigest, secretHash: needsSecret ? heldHash : '' }
    const secret = Buffer.from(randomBytes(tokenSecretBytes)).toString('base64url')
    return { token, tokenDigest, secret, secretHash: await hashSecret(secret) }
  }

  #answer(status: number, record: RegistrationRecord, metadata: ClientMetadata, issued: Issued): HttpAnswer {
    return informationAnswer(status, `${this.#options.issuer}${path}/${record.clientId}`, record, metadata, issued)
  }

  #refuseOverBacklog(): void {
    if (!this.#options.overBacklog()) return
    throw new Failure('unavailable', 'the audit journal is too far behind for new clients', { retryAfterSeconds: 5 })
  }
}

/** What we tell, and a client does not (RFC 7592 section 2.2). */
const told = ['registration_access_token', 'registration_client_uri', 'client_secret_expires_at', 'client_id_issued_at']

const idOf = (request: Request): string => String(request.params['id'])

/** RFC 6750 section 2.1. */
const bearerOf = ({ headers }: Request): string | undefined =>
  /^bearer +(\S{1,512}) *$/i.exec(headers.authorization ?? '')?.[1]

/** W3C Trace Context section 3.2. */
const traceContext = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/

const askerOf = ({ ip, headers }: Request, id: string): Asker => ({
  kind: ActorKind.CLIENT,
  id,
  address: ip ?? '',
  userAgent: (headers['user-agent'] ?? '').slice(0, limits.userAgentCharacters),
  traceparent: traceContext.test(String(headers['traceparent'])) ? String(headers['traceparent']) : '',
})
