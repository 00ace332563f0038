import type { KeyObject } from 'node:crypto'
import type { LimiterOptions, Log, Reach, RemoteKeys, Route } from '@countersign/chassis'
import type { AuthorizationCalls, Millis } from '@countersign/contracts'
import type { Store } from '@countersign/store'
import {
  createClientKeys,
  createDpop,
  createReplayGuard,
  type ClientAuthentication,
  type Clients,
  type Secrets,
  type TokenFormat,
} from '@countersign/tokens'
import { createKeyRing } from '@countersign/tokens/keys'
import { administrationCalls, type AdministrationCalls } from './administration/administration.ts'
import { createAnswerAtOnce } from './authorization/at-once.ts'
import { authorizationEndpoint, pushedRequestEndpoint } from './authorization/endpoint.ts'
import { createHandover } from './authorization/handover.ts'
import { RequestDesk } from './authorization/request-desk.ts'
import { RequestObjects } from './authorization/request-object.ts'
import { Requests } from './authorization/requests.ts'
import { ClientDirectory } from './clients/directory.ts'
import { createClientSource, type ClientSource } from './clients/source.ts'
import { DeviceCodes } from './device/codes.ts'
import { DeviceDesk } from './device/desk.ts'
import { deviceAuthorizationEndpoint } from './device/endpoint.ts'
import type { Router } from 'express'
import { openPairwiseKey, openSigningKeys, startRotation } from './keys/index.ts'
import type { Limiter } from './limiter.ts'
import { LogoutDesk } from './logout/desk.ts'
import { Endings } from './logout/endings.ts'
import { logoutEndpoint } from './logout/endpoint.ts'
import { LogoutNotifier } from './logout/notifier.ts'
import type { NoticePost } from './logout/post.ts'
import { LogoutRequests } from './logout/requests.ts'
import { authenticationMethodsOf, metadataRoutes, type Features } from './metadata.ts'
import { createPeople } from './people.ts'
import { createPossession } from './possession.ts'
import { revocationEndpoint } from './revoke.ts'
import type { RegisteredClientSettings } from './registration/definition.ts'
import { registrationRouter } from './registration/endpoint.ts'
import { Registrations } from './registration/registrations.ts'
import { createSubjectNames } from './subject-names.ts'
import { createSubjectCalls } from './subjects/calls.ts'
import { createTokenAnswers } from './token/answer.ts'
import { deviceCodeGrant } from './token/device-code.ts'
import { tokenExchangeGrant } from './token/exchange.ts'
import { tokenEndpoint } from './token/endpoint.ts'
import { authorizationCodeGrant, clientCredentialsGrant, refreshTokenGrant } from './token/grants.ts'
import { createIssuerKeys } from './upstream/issuer-keys.ts'
import { createUpstreamTokens, type UpstreamProvider } from './upstream/token.ts'
import { userinfoEndpoint } from './userinfo.ts'

const minuteMs = 60_000

export interface TokenIssuerOptions {
  store: Store
  partitions: number
  issuer: string
  format: TokenFormat
  /** Seal private keys at rest; the current one first. */
  sealKeys: readonly KeyObject[]
  /** Of the master key, each for one purpose. */
  secrets: {
    /** What refresh tokens' successors are derived under; the current one first. */
    successors: readonly KeyObject[]
    userCodes: KeyObject
    dpopNonces: KeyObject
  }
  clients: () => Clients
  /** Holds the secrets of clients. */
  clientSecrets: Secrets
  /** What clients that register themselves may be; the same object until the configuration changes. */
  registered: () => RegisteredClientSettings
  authenticationWith: (find: ClientSource['find']) => ClientAuthentication
  remoteKeys: RemoteKeys
  /** A JSON document at a URL, within bounds. */
  fetchJson: (url: string) => Promise<unknown>
  /** Whose tokens may be exchanged here. */
  providers: () => readonly UpstreamProvider[]
  /** A resource's audience, by that itself or by the resource's id. */
  audienceOf: (name: string) => string | undefined
  /** Tells applications of sign-outs. */
  post: NoticePost
  /** Scopes that resources define, with their descriptions. */
  scopes: () => ReadonlyMap<string, string>
  lifetimes: {
    authorizationCodeMs: Millis
    refreshTokenMs: Millis
    refreshGraceMs: Millis
    idTokenMs: Millis
    authorizationRequestMs: Millis
    pushedRequestMs: Millis
    deviceCodeMs: Millis
  }
  authorization: { requestObjects: 'refused' | 'signed'; requirePushedRequests: boolean; dpopNonces: boolean }
  /** Clients may authenticate by certificates. */
  mutualTls: boolean
  keyRotationMs: Millis
  /** Milliseconds that anything signed is good, at most. */
  longestTokenMs: Millis
  limiter: (options: LimiterOptions) => Limiter
  /** Points a minute; 0: no limit. */
  throttle: {
    failedGrantsPerMinute: number
    authorizationRequestsPerMinute: number
    registrationsPerMinute: number
  }
  /** Where URLs of clients may lead that requests are sent to. */
  reach: Reach
  /** Whether the audit journal is too far behind for new grants. */
  overBacklog: () => boolean
  clock: { after(ms: number, call: () => void): () => void }
  log: Log
  now: () => Millis
  /** 128 random bits as 32 hex digits. */
  commitId: () => string
  /** From the operating system's generator. */
  randomBytes: (bytes: number) => Uint8Array
}

export interface TokenIssuer {
  routes: Route[]
  routers: Router[]
  /** For login, and nobody else. */
  authorization: AuthorizationCalls
  /** For operators. */
  administration: AdministrationCalls
  /** Brings the store in line with the configured clients, once at the start and after each change of them. */
  reconcile(): Promise<void>
  close(): Promise<void>
}

/** What the parts of the service share. */
function foundations(options: TokenIssuerOptions, pairwiseKey: KeyObject) {
  const { store, issuer, now, secrets, authorization, remoteKeys, lifetimes } = options
  const { find } = createClientSource({
    ...options,
    configured: options.clients,
    secrets: options.clientSecrets,
    settings: options.registered,
  })
  const replay = createReplayGuard(options)
  const nonces = { key: secrets.dpopNonces, required: authorization.dpopNonces }
  const possession = createPossession(createDpop({ replay, now, nonces }), issuer)
  const keyRing = createKeyRing({ reader: store, sealKeys: options.sealKeys, now })
  const people = createPeople(store)
  const subjectNames = createSubjectNames(pairwiseKey)
  const keysOf = createClientKeys((url) => remoteKeys.keysFor(url))
  const authentication = options.authenticationWith(find)
  const scopeDescriptions = options.scopes
  const notifier = new LogoutNotifier({ ...options, find, keyRing })
  const endings = new Endings({ ...options, find, wake: (partition) => notifier.nudge(partition) })
  const logoutRequests = new LogoutRequests(options)
  const requests = new Requests({
    ...options,
    authorizationRequestLifetimeMs: lifetimes.authorizationRequestMs,
    pushedRequestLifetimeMs: lifetimes.pushedRequestMs,
  })
  const codes = new DeviceCodes({
    ...options,
    userCodeKey: secrets.userCodes,
    deviceCodeLifetimeMs: lifetimes.deviceCodeMs,
  })
  return {
    ...options,
    ...{
      find,
      possession,
      keyRing,
      people,
      subjectNames,
      keysOf,
      authentication,
      scopeDescriptions,
      endings,
      requests,
    },
    ...{ codes, notifier, logoutRequests },
  }
}

type Foundations = ReturnType<typeof foundations>

/** One of the service's limiters, by the minute. */
const perMinute = ({ limiter }: TokenIssuerOptions, name: string, points: number): Limiter =>
  limiter({ name, points, durationMs: minuteMs })

function tokenRoute(shared: Foundations, directory: ClientDirectory): Route {
  const { lifetimes, secrets, throttle, remoteKeys } = shared
  const grants = { ...shared, directory, successorKeys: secrets.successors, ...lifetimes }
  const keysOf = createIssuerKeys({ ...shared, keysFor: (url) => remoteKeys.keysFor(url) })
  return tokenEndpoint({
    ...shared,
    failedGrants: perMinute(shared, 'grants', throttle.failedGrantsPerMinute),
    answers: createTokenAnswers({ ...shared, idTokenLifetimeMs: lifetimes.idTokenMs }),
    grants: {
      authorization_code: authorizationCodeGrant(grants),
      client_credentials: clientCredentialsGrant(grants),
      refresh_token: refreshTokenGrant(grants),
      'urn:ietf:params:oauth:grant-type:device_code': deviceCodeGrant(grants),
      'urn:ietf:params:oauth:grant-type:token-exchange': tokenExchangeGrant({
        ...shared,
        upstream: createUpstreamTokens({ ...shared, keysOf }),
      }),
    },
  })
}

/** Where a browser comes, or a client asks for one to come. */
function browserRoutes(shared: Foundations, desk: RequestDesk): Route[] {
  const { authorization, throttle } = shared
  const limiter = perMinute(shared, 'authorization', throttle.authorizationRequestsPerMinute)
  const requests = {
    ...shared,
    limiter,
    answerAtOnce: createAnswerAtOnce({ ...shared, desk }),
    requestObjects: new RequestObjects({ ...shared, mode: authorization.requestObjects }),
    requirePushedRequests: authorization.requirePushedRequests,
  }
  return [
    authorizationEndpoint(requests),
    pushedRequestEndpoint(requests),
    deviceAuthorizationEndpoint({ ...shared, limiter }),
    logoutEndpoint({ ...shared, limiter }),
  ]
}

const featuresOf = ({ issuer, scopes, authorization, registered, mutualTls }: TokenIssuerOptions): Features => ({
  issuer,
  mutualTls,
  scopes: () => [...scopes().keys()],
  requestObjects: authorization.requestObjects,
  requirePushedRequests: authorization.requirePushedRequests,
  registration: () => registered().registration.enabled,
})

/** Milliseconds that a token can hang on a session, at most. */
function longestGrantMs(clients: Clients, most: Millis): Millis {
  for (const { refreshTokenLifetimeMs } of clients.values()) most = Math.max(most, refreshTokenLifetimeMs)
  return most
}

/** @throws Failure `unavailable` when the store cannot be reached */
export async function createTokenIssuer(options: TokenIssuerOptions): Promise<TokenIssuer> {
  const { lifetimes, throttle, clients } = options
  const directory = new ClientDirectory(options)
  const registrations = new Registrations(options)
  await openSigningKeys(options)
  await directory.reconcile(clients())
  await registrations.heal()
  const shared = foundations(options, await openPairwiseKey(options))
  const rotation = startRotation({ ...options, rotateEveryMs: options.keyRotationMs })
  shared.notifier.start()
  const desks = {
    request: new RequestDesk({ ...shared, authorizationCodeMs: lifetimes.authorizationCodeMs }),
    device: new DeviceDesk(shared),
    logout: new LogoutDesk(shared),
  }
  return {
    routes: [
      tokenRoute(shared, directory),
      ...browserRoutes(shared, desks.request),
      revocationEndpoint(shared),
      userinfoEndpoint(shared),
      ...metadataRoutes(featuresOf(options), shared.keyRing),
    ],
    routers: [
      registrationRouter({
        ...shared,
        registrations,
        settings: () => options.registered().registration,
        authenticationMethods: authenticationMethodsOf(options.mutualTls),
        secrets: options.clientSecrets,
        limiter: perMinute(options, 'registrations', throttle.registrationsPerMinute),
      }),
    ],
    authorization: {
      ...createHandover({
        ...shared,
        desks,
        longestGrantMs: () => longestGrantMs(clients(), lifetimes.refreshTokenMs),
      }),
      ...createSubjectCalls(shared),
    },
    administration: administrationCalls(shared),
    reconcile: () => directory.reconcile(clients()),
    close: async () => void (await Promise.all([rotation.stop(), shared.notifier.stop()])),
  }
}
