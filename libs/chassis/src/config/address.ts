import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net'
import { matching, text } from './leaf.ts'

export interface ListenAddress {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
}

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

/** Whether a host, an IPv6 address with or without brackets, is this machine and cannot be reached from another. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[(.*)\]$/, '$1')
  if (name === 'localhost' || name.endsWith('.localhost')) return true
  const family = isIP(name)
  return family !== 0 && loopback.check(name, family === 4 ? 'ipv4' : 'ipv6')
}

const label = '[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?'
const hostName = new RegExp(`^(?=.{1,253}$)${label}(?:\\.${label})*$`, 'i')

/** Whether it is a name, an IPv4 address or an IPv6 address in brackets. */
export function isHost(host: string): boolean {
  if (host.startsWith('[')) return isIPv6(host.slice(1, -1)) && host.endsWith(']')
  return /^[\d.]+$/.test(host) ? isIPv4(host) : hostName.test(host)
}

/** Takes `host:port` apart; undefined when it is none. */
export function readHostPort(given: string): { host: string; port: number } | undefined {
  const [, host = '', port = ''] = /^(\[[^\]]*\]|[^:[\]]*):(\d{1,5})$/.exec(given) ?? []
  if (!isHost(host) || Number(port) > 65_535) return undefined
  return { host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) }
}

export const writeHostPort = ({ host, port }: ListenAddress): string =>
  isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`

export const listenAddress = () =>
  text(
    'an address such as 127.0.0.1:8080, [::1]:8080 or 0.0.0.0:8080',
    (given): ListenAddress | undefined => readHostPort(given),
    (given) => {
      const address = `127.0.0.1:${String(given).replace(/^:/, '')}`
      return readHostPort(address) === undefined ? undefined : address
    },
  )

/** A listener of somebody else. */
export const hostPort = () =>
  text('a host and port such as issuer.example:50051', (given) => (readHostPort(given)?.port ? given : undefined))

const groups = /^(loopback|linklocal|uniquelocal)$/

/** An address or range of proxies whose forwarding headers are believed; the names are Express's. */
export const proxy = () =>
  text('an address, a range such as 10.0.0.0/8, or loopback, linklocal or uniquelocal', (given) => {
    const [address = '', bits, ...rest] = given.split('/')
    if (groups.test(given)) return given
    const most = isIP(address) === 4 ? 32 : 128
    const ranged = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most)
    return isIP(address) !== 0 && ranged && rest.length === 0 ? given : undefined
  })

export const hostText = () => matching('a host name', hostName)
