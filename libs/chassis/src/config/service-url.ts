import { resolve } from 'node:path'
import { isHost, readHostPort } from './address.ts'
import { text } from './leaf.ts'
import { limits } from './limits.ts'
import { nearest } from './nearest.ts'

export interface ServiceUrl {
  readonly scheme: string
  /** Names and addresses of all servers, without ports; empty for a socket. */
  readonly hosts: readonly string[]
  /** After the hosts, with the slash. */
  readonly path: string
  readonly query: URLSearchParams
}

const withoutUser = (authority: string): string => authority.replace(/^.*@/, '')

/**
 * Takes the URL of a service apart, which may name several servers: `redis+sentinel://u:p@a:1,b:2/main`,
 * `nats://u:p@a,u:p@b`, `nats://a,tls://b`. Users and passwords are left out.
 */
export function readServiceUrl(given: string): ServiceUrl | undefined {
  if (given.length > limits.urlCharacters) return undefined
  const isNats = /^(nats|tls):\/\//.test(given)
  const schemes = isNats ? [...given.matchAll(/(?:^|,)(nats|tls):\/\//g)].map(([, scheme]) => scheme) : []
  const joined = isNats ? given.replace(/,(nats|tls):\/\//g, ',') : given
  const parts = /^([a-z][a-z0-9+]*):\/\/([^\s/?#]*)(\/[^\s?#]*)?(?:\?([^\s#]*))?$/.exec(joined)
  if (parts === null) return undefined
  const [, scheme = '', authority = '', path = '', query = ''] = parts
  const servers = isNats ? authority.split(',').map(withoutUser) : withoutUser(authority).split(',')
  const hosts = servers.map((server) => (isHost(server) ? server : (readHostPort(server)?.host ?? '')))
  if (servers.join('') === '') return { scheme, hosts: [], path, query: new URLSearchParams(query) }
  if (hosts.includes('')) return undefined
  // One tls:// makes TLS required of all.
  return { scheme: schemes.includes('tls') ? 'tls' : scheme, hosts, path, query: new URLSearchParams(query) }
}

/** Whether the parts after the scheme are those that such a service has. */
function fits({ scheme, hosts, path, query }: ServiceUrl): boolean {
  if (scheme.startsWith('postgres')) return hosts.length <= 1 && (hosts.length === 1 || query.has('host'))
  if (hosts.length === 0) return false
  if (scheme.endsWith('+sentinel')) return /^\/[^/]+(\/\d{1,4})?$/.test(path)
  if (scheme.startsWith('redis') && !scheme.includes('+')) return hosts.length === 1 && /^(\/(\d{1,4})?)?$/.test(path)
  return path === '' || path === '/'
}

const schemeOf = (given: unknown): string => /^([a-z0-9+]+):/i.exec(String(given))?.[1]?.toLowerCase() ?? ''

const forms: Record<string, string> = {
  sqlite: 'sqlite:path',
  'redis+sentinel': 'redis+sentinel://host,…/name',
  'redis+cluster': 'redis+cluster://host,…',
  rediss: 'the same with rediss for TLS',
  postgres: 'postgres://host/database',
}

/** `sqlite:` and a path, or a URL of one of these schemes, or one of these words. A path is resolved against `folder`. */
export function serviceUrl(folder: string, schemes: readonly string[], words: readonly string[] = []) {
  const shown = schemes.filter((scheme) => !/^(rediss\+.*|postgresql)$/.test(scheme))
  const alternatives = [...words, ...shown.map((scheme) => forms[scheme] ?? `${scheme}://host`)]
  const read = (given: string): string | undefined => {
    if (words.includes(given)) return given
    if (given.startsWith('sqlite:') && schemes.includes('sqlite')) return readSqlite(folder, given)
    const url = readServiceUrl(given)
    return url !== undefined && schemes.includes(url.scheme) && fits(url) ? given : undefined
  }
  const suggest = (given: unknown): string | undefined => {
    const scheme = schemeOf(given)
    if (schemes.includes(scheme)) return undefined
    const near = nearest(scheme || String(given), [...schemes, ...words])
    return near === undefined || words.includes(near) ? near : `${near}${near === 'sqlite' ? ':' : '://'}`
  }
  const expected = `${alternatives.slice(0, -1).join(', ')} or ${alternatives.at(-1)}`
  return text(expected, read, suggest).meta({ format: 'service-url' })
}

/** One server of somebody else, `scheme://host` or `scheme://host:port`; without user, password, path and query. */
export function serverUrl(schemes: readonly string[]) {
  const expected = `${schemes.map((scheme) => `${scheme}://host`).join(' or ')}, with or without :port`
  return text(expected, (given) => {
    const [, scheme = '', server = ''] = /^([a-z]+):\/\/(.+)$/.exec(given) ?? []
    const fits = isHost(server) || (readHostPort(server)?.port ?? 0) > 0
    return schemes.includes(scheme) && fits ? given : undefined
  }).meta({ format: 'service-url' })
}

/** `sqlite:path` and `sqlite:///path`; not `sqlite://host` and `sqlite::memory:`. */
function readSqlite(folder: string, given: string): string | undefined {
  const file = /^sqlite:(?:\/\/(?=\/))?([^?#\0]+)$/.exec(given)?.[1]
  return file === undefined || /^(\/\/|:)/.test(file) ? undefined : `sqlite:${resolve(folder, file)}`
}
