import { isLoopback, readHostPort } from './address.ts'
import { keyOf, type Path } from './problem.ts'
import { listAt, mapAt, mapsAt, textAt, type Raw } from './raw.ts'
import type { Report } from './references.ts'
import { readServiceUrl, type ServiceUrl } from './service-url.ts'

const tokenIssuer = ['services', 'token_issuer']

/** What leaves this machine is encrypted, unless the file says that it need not be; a certificate goes with its key. */
export function checkTransport(raw: Raw, report: Report): void {
  checkPairs(raw, report)
  checkTlsIsUsed(raw, report)
  if (raw.allow_plaintext === true) return
  const refuse = (path: Path, what: string, instead: string) =>
    report(path, `${what} is plaintext outside loopback; ${instead}, or set allow_plaintext: true`)
  checkServices(raw, refuse)
  const grpc = readHostPort(textAt(mapAt(raw, 'listen'), 'grpc') ?? '')
  if (grpc && !isLoopback(grpc.host) && mapAt(raw, 'grpc').cert === undefined) {
    refuse(['listen', 'grpc'], `gRPC on ${grpc.host}`, 'set grpc.cert and grpc.key')
  }
  const web = (path: Path, value: unknown) => {
    const url = typeof value === 'string' ? URL.parse(value) : null
    if (url?.protocol === 'http:' && !isLoopback(url.hostname)) refuse(path, `http://${url.host}`, 'use https://')
  }
  web(['issuer'], raw.issuer)
  const issuer = tokenIssuer.reduce(mapAt, raw)
  const target = readHostPort(textAt(issuer, 'target') ?? '')
  if (target && !isLoopback(target.host) && issuer.tls === undefined) {
    refuse([...tokenIssuer, 'target'], `gRPC to ${target.host}`, `set ${keyOf([...tokenIssuer, 'tls'])}`)
  }
  for (const [provider, index] of mapsAt(raw, 'providers')) {
    for (const key of ['issuer', 'url', 'authorization_url', 'token_url', 'userinfo_url'])
      web(['providers', index, key], provider[key])
  }
  for (const [client, index] of mapsAt(raw, 'clients')) {
    for (const key of ['uri', 'logo_uri', 'policy_uri', 'tos_uri', 'jwks_uri', 'backchannel_logout_uri'])
      web(['clients', index, key], client[key])
    for (const key of ['redirect_uris', 'post_logout_redirect_uris'])
      for (const [at, uri] of listAt(client, key).entries()) web(['clients', index, key, at], uri)
  }
}

type Refuse = (path: Path, what: string, instead: string) => void

const encrypted: Record<string, string> = {
  redis: 'use rediss://',
  'redis+sentinel': 'use rediss+sentinel://',
  'redis+cluster': 'use rediss+cluster://',
  nats: 'use tls://',
  postgres: 'add ?sslmode=verify-full or set audit.tls',
  postgresql: 'add ?sslmode=verify-full or set audit.tls',
}

function checkServices(raw: Raw, refuse: Refuse): void {
  for (const section of ['store', 'bus', 'audit']) {
    const url = readServiceUrl(textAt(mapAt(raw, section), 'url') ?? '')
    const instead = encrypted[url?.scheme ?? '']
    if (url === undefined || instead === undefined) continue
    const remote = hostsOf(url).find((host) => !isLoopback(host))
    if (remote !== undefined && !isEncrypted(url, mapAt(raw, section).tls !== undefined)) {
      refuse([section, 'url'], `${url.scheme}:// to ${remote}`, instead)
    }
  }
}

/** PostgreSQL lets the query name the host; a path is a socket. */
function hostsOf({ scheme, hosts, query }: ServiceUrl): readonly string[] {
  if (!scheme.startsWith('postgres')) return hosts
  const named = query.getAll('host').flatMap((host) => host.split(','))
  return [...hosts, ...named].filter((host) => host !== '' && !host.startsWith('/'))
}

function isEncrypted({ scheme, query }: ServiceUrl, tls: boolean): boolean {
  if (scheme.startsWith('redis')) return false
  const mode = query.getAll('sslmode').at(-1)
  return mode === undefined ? tls : /^(require|verify-ca|verify-full)$/.test(mode)
}

/** Files for TLS that would never be used are a mistake that looks like safety. */
function checkTlsIsUsed(raw: Raw, report: Report): void {
  const { url, tls } = mapAt(raw, 'store')
  const scheme = typeof url === 'string' ? readServiceUrl(url)?.scheme : undefined
  if (tls !== undefined && /^redis(\+|$)/.test(scheme ?? '')) {
    report(['store', 'tls'], `is not used with ${scheme}://; ${encrypted[scheme!]}`)
  }
}

function checkPairs(raw: Raw, report: Report): void {
  const files = [['grpc'], ['http'], ...['store', 'bus', 'audit'].map((name) => [name, 'tls']), [...tokenIssuer, 'tls']]
  for (const path of files) {
    const given = path.reduce(mapAt, raw)
    for (const [has, needs] of [
      ['cert', 'key'],
      ['key', 'cert'],
      ['client_ca', 'cert'],
    ] as const) {
      if (given[has] !== undefined && given[needs] === undefined) report([...path, has], `needs ${needs} beside it`)
    }
  }
  const { self_signed_clients: selfSigned, cert } = mapAt(raw, 'http')
  if (selfSigned === true && cert === undefined) report(['http', 'self_signed_clients'], 'needs cert beside it')
}
