import { logLevels } from '../log.ts'
import { hostPort, listenAddress } from './address.ts'
import { file, secret, type Surroundings } from './credential.ts'
import { duration } from './duration.ts'
import { choice, flag, map, whole } from './leaf.ts'
import { limits } from './limits.ts'
import { serviceUrl } from './service-url.ts'
import { asProperties } from './spelling.ts'

const { durationsMs } = limits

const tls = (
  surroundings: Surroundings,
  purpose = 'Files for TLS, where the authorities that Node.js knows are not enough.',
) =>
  map({
    ca: file(surroundings).optional().describe('Certificates (PEM) of the authorities that may sign the server’s.'),
    cert: file(surroundings)
      .optional()
      .describe('Our own certificate (PEM), where the server asks for one; needs `key`.'),
    key: file(surroundings).optional().describe('Private key (PEM) of `cert`.'),
  })
    .optional()
    .describe(purpose)

export const store = (surroundings: Surroundings) =>
  map({
    url: serviceUrl(surroundings.folder, [
      'sqlite',
      'redis',
      'redis+sentinel',
      'redis+cluster',
      'rediss',
      'rediss+sentinel',
      'rediss+cluster',
    ])
      .prefault('sqlite:./data/countersign.db')
      .describe('Where clients, grants, tokens and keys are kept.'),
    partitions: whole(1, limits.partitions)
      .prefault(1)
      .describe(
        'Parts that the store is split into; on Redis Cluster, its hash slots. May be raised later, never lowered.',
      ),
    wait_replicas: whole(0, limits.waitReplicas)
      .prefault(0)
      .describe('Redis replicas that must have a write before it is acknowledged.'),
    allow_unsafe: flag()
      .prefault(false)
      .describe('Start on a Redis that may lose acknowledged writes or evict keys. Only for development.'),
    command_timeout: duration(durationsMs.commandTimeout)
      .prefault('2s')
      .describe('How long a command may take before the request fails as unavailable.'),
    tls: tls(surroundings),
  })
    .transform(({ wait_replicas, allow_unsafe, command_timeout, ...rest }) => ({
      ...rest,
      waitReplicas: wait_replicas,
      allowUnsafe: allow_unsafe,
      commandTimeoutMs: command_timeout,
    }))
    .prefault({})
    .describe('The store of token state.')

export const bus = (surroundings: Surroundings) =>
  map({
    url: serviceUrl(surroundings.folder, ['nats', 'tls'], ['in-process'])
      .prefault('in-process')
      .describe('Carries events and revocations between the services. `in-process` is for the single process only.'),
    replicas: whole(1, limits.busReplicas).prefault(1).describe('Servers that keep a copy of the JetStream stream.'),
    max_age: duration(durationsMs.busMaxAge).prefault('7d').describe('How long the stream keeps an event.'),
    credentials: secret(surroundings).optional().describe('NATS credentials: the content of a `.creds` file.'),
    tls: tls(surroundings),
  })
    .transform(({ max_age, ...rest }) => ({ ...rest, maxAgeMs: max_age }))
    .prefault({})
    .describe('The bus.')

export const audit = (surroundings: Surroundings) =>
  map({
    url: serviceUrl(surroundings.folder, ['sqlite', 'postgres', 'postgresql'])
      .prefault('sqlite:./data/audit.db')
      .describe('Where the audit journal is kept.'),
    max_backlog: whole(limits.backlogEvents.least, limits.backlogEvents.most)
      .prefault(1_000_000)
      .describe('Events that may wait for the journal. Beyond it new grants are refused; revocations never are.'),
    relay: choice(['running', 'paused'])
      .prefault('running')
      .describe('`paused` keeps events in the outbox and off the journal. For maintenance and measurements.'),
    tls: tls(surroundings),
  })
    .transform(({ max_backlog, ...rest }) => ({ ...rest, maxBacklogEvents: max_backlog }))
    .prefault({})
    .describe('The audit journal.')

export const listen = () =>
  map({
    http: listenAddress().prefault('127.0.0.1:8080').describe('OAuth 2.0 endpoints, the console, forward-auth.'),
    grpc: listenAddress().prefault('127.0.0.1:50051').describe('gRPC: introspection, and what operators ask.'),
    management: listenAddress().prefault('127.0.0.1:9464').describe('`/metrics`, `/healthz` and `/readyz`.'),
  })
    .prefault({})
    .describe('Addresses to listen on; port 0 takes a free one.')

export const services = (surroundings: Surroundings) =>
  map({
    token_issuer: map({
      target: hostPort().prefault('127.0.0.1:50051').describe('Its gRPC listener, as host:port.'),
      tls: tls(surroundings, 'Turns TLS on; `{}` where the authorities that Node.js knows are enough.'),
    })
      .prefault({})
      .describe('The token issuer.'),
  })
    .transform(asProperties)
    .prefault({})
    .describe('Where a `login` that is a process of its own reaches the others; the single process needs none of it.')

export const session = () =>
  map({
    persistent: flag().prefault(false).describe('Whether a session outlives the browser.'),
    idle: duration(durationsMs.session).prefault('30m').describe('A session ends when it was not used for so long.'),
    absolute: duration(durationsMs.session)
      .prefault('12h')
      .describe('A session ends so long after sign-in, used or not.'),
  })
    .transform(({ idle, absolute, ...rest }) => ({ ...rest, idleMs: idle, absoluteMs: absolute }))
    .prefault({})
    .describe('Browser sessions.')

export const lifetimes = () =>
  map({
    authorization_code: duration(durationsMs.authorizationCode).prefault('60s').describe('Authorization codes.'),
    access_token: duration(durationsMs.accessToken).prefault('5m').describe('Access tokens.'),
    refresh_token: duration(durationsMs.refreshToken).prefault('30d').describe('Refresh tokens.'),
    refresh_grace: duration(durationsMs.refreshGrace)
      .prefault('10s')
      .describe('How long a rotated refresh token still answers with the same successor.'),
    id_token: duration(durationsMs.idToken).prefault('5m').describe('ID tokens.'),
    authorization_request: duration(durationsMs.authorizationRequest)
      .prefault('30m')
      .describe('Authorization requests: how long a person may take to sign in and decide.'),
    pushed_request: duration(durationsMs.pushedRequest)
      .prefault('60s')
      .describe('Pushed authorization requests, until the browser comes with them (RFC 9126).'),
    device_code: duration(durationsMs.deviceCode).prefault('10m').describe('Device codes and user codes (RFC 8628).'),
  })
    .transform((given) => ({
      authorizationCodeMs: given.authorization_code,
      accessTokenMs: given.access_token,
      refreshTokenMs: given.refresh_token,
      refreshGraceMs: given.refresh_grace,
      idTokenMs: given.id_token,
      authorizationRequestMs: given.authorization_request,
      pushedRequestMs: given.pushed_request,
      deviceCodeMs: given.device_code,
    }))
    .prefault({})
    .describe('How long what is issued from now on is good for.')

export const cache = () =>
  map({
    entries: whole(0, limits.cacheEntries)
      .prefault(100_000)
      .describe('Active tokens that introspection keeps answers about, some 500 bytes each; 0 turns the cache off.'),
  })
    .prefault({})
    .describe('The answers that introspection gives again while they are proven fresh, within `max_staleness`.')

export const log = () =>
  map({ level: choice(logLevels).prefault('info').describe('The least important level that is written.') })
    .prefault({})
    .describe('The log: JSON lines on standard output, without secrets.')

export const passwords = (surroundings: Surroundings) =>
  map({
    least_characters: whole(limits.passwordCharacters.least, limits.passwordCharacters.most)
      .prefault(10)
      .describe('Characters that a new password has at least.'),
    refused: file(surroundings, limits.refusedPasswordsBytes)
      .optional()
      .describe('A text file of passwords that nobody may have, one a line, beside those that are easily guessed.'),
  })
    .transform(asProperties)
    .prefault({})
    .describe('What passwords kept here have to be like.')

const perMinute = (prefault: number, what: string) =>
  whole(0, limits.perMinute).prefault(prefault).describe(`${what} in a minute; 0 turns it off.`)

export const throttle = () =>
  map({
    failed_authentications_per_minute: perMinute(
      30,
      'Failed client authentications that one client and address may make',
    ),
    failed_grants_per_minute: perMinute(
      60,
      'Wrong codes, refresh tokens and device codes that one client and address may present',
    ),
    authorization_requests_per_minute: perMinute(
      600,
      'Requests to authorize, to push one and for a device that one client and address may make',
    ),
    registrations_per_minute: perMinute(10, 'Client registrations that one address may make'),
    failed_sign_ins_per_minute: perMinute(
      10,
      'Wrong passwords that one address may try, and that may be tried for one account,',
    ),
    failed_second_factors_per_minute: perMinute(5, 'Wrong second factors that may be tried for one account'),
    reset_requests_per_minute: perMinute(3, 'Resets of a password that one address, and for one account, may ask for'),
    upstream_sign_ins_per_minute: perMinute(60, 'Sign-ins through providers that one address may begin'),
    wrong_user_codes_per_minute: perMinute(10, 'Wrong user codes (RFC 8628) that one address may try'),
    inactive_introspections_per_minute: perMinute(60_000, 'Introspections answered inactive that one caller may make'),
  })
    .transform(asProperties)
    .prefault({})
    .describe('Limits on guessing, and on what makes work.')

export const grpc = (surroundings: Surroundings) =>
  map({
    cert: file(surroundings).optional().describe('Certificate (PEM) of the gRPC listener; turns TLS on. Needs `key`.'),
    key: file(surroundings).optional().describe('Private key (PEM) of `cert`.'),
    client_ca: file(surroundings)
      .optional()
      .describe('Authorities (PEM) that sign callers’ certificates; turns mutual TLS on. Needs `cert`.'),
  })
    .transform(asProperties)
    .prefault({})
    .describe('TLS on the gRPC listener.')

export const http = (surroundings: Surroundings) =>
  map({
    cert: file(surroundings).optional().describe('Certificate (PEM) of the HTTP listener; turns TLS on. Needs `key`.'),
    key: file(surroundings).optional().describe('Private key (PEM) of `cert`.'),
    client_ca: file(surroundings)
      .optional()
      .describe('Authorities (PEM) that sign clients’ certificates (RFC 8705); asks callers for one. Needs `cert`.'),
    self_signed_clients: flag()
      .prefault(false)
      .describe('Take self-signed certificates of clients as well (RFC 8705 section 2.2). Needs `cert`.'),
  })
    .transform(asProperties)
    .prefault({})
    .describe('TLS on the HTTP listener, where no gateway ends it.')
