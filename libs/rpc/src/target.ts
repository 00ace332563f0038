import { BlockList, isIP } from 'node:net'

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

/** Whether a host name or address never leaves this machine. */
export function isLoopback(host: string): boolean {
  const address = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host
  if (address === 'localhost') return true
  const family = isIP(address)
  return family !== 0 && loopback.check(address, family === 4 ? 'ipv4' : 'ipv6')
}

/** The hosts of a gRPC target: `host:port`, `dns:[//authority/]host:port`, `ipv4:a:p,b:p`, `ipv6:[a]:p`; none of `unix:`. */
export function hostsOf(target: string): string[] {
  if (target.startsWith('unix:')) return []
  const path = /^(?:dns:(?:\/\/[^/]*\/)?|ipv[46]:)?(.+)$/.exec(target)?.[1] ?? target
  return path.split(',').map((address) => {
    const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(address)
    return bracketed ? bracketed[1]! : address.replace(/:\d+$/, '')
  })
}
