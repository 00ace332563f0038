import { BlockList, isIP } from 'node:net'
import { maxForwardedHops } from '../limits.ts'

/** Express's names for ranges. */
const named: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '::1/128'],
  linklocal: ['169.254.0.0/16', 'fe80::/10'],
  uniquelocal: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
}

const familyOf = (address: string) => (isIP(address) === 4 ? 'ipv4' : 'ipv6')

/** An address without port and brackets, an IPv4 address as one; undefined when it is none. */
function plainAddress(written: string): string | undefined {
  const text = written.trim()
  const bare = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(text)?.[1] ?? /^([\d.]+):\d{1,5}$/.exec(text)?.[1] ?? text
  const address = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare)?.[1] ?? bare
  return isIP(address) === 0 ? undefined : address
}

export interface Proxies {
  isTrusted(address: string): boolean
  /** Who asks: the peer, or what trusted proxies say of whom they ask for (X-Forwarded-For). */
  clientAddress(peer: string | undefined, forwardedFor: string | string[] | undefined): string
}

/**
 * @param trusted addresses, ranges such as `10.0.0.0/8`, or `loopback`, `linklocal`, `uniquelocal`
 * @throws Error for anything else
 */
export function createProxies(trusted: readonly string[]): Proxies {
  const list = new BlockList()
  for (const entry of trusted.flatMap((given) => named[given] ?? [given])) {
    const [address = '', bits] = entry.split('/')
    if (bits === undefined) list.addAddress(address, familyOf(address))
    else list.addSubnet(address, Number(bits), familyOf(address))
  }
  const isTrusted = (address: string) => isIP(address) !== 0 && list.check(address, familyOf(address))

  return {
    isTrusted,
    clientAddress(peer, forwardedFor) {
      let address = peer?.startsWith('::ffff:') ? peer.slice(7) : (peer ?? 'unknown')
      if (trusted.length === 0 || forwardedFor === undefined || !isTrusted(address)) return address
      // Right to left: each proxy adds whom it heard from, so an entry is only as true as the hop that wrote it.
      const hops = String(forwardedFor).split(',').slice(-maxForwardedHops)
      for (let hop = hops.pop(); hop !== undefined; hop = hops.pop()) {
        const named = plainAddress(hop)
        if (named === undefined) break
        address = named
        if (!isTrusted(address)) break
      }
      return address
    },
  }
}
