import { lookup, type LookupAddress, type LookupAllOptions } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { Failure } from '@countersign/contracts'
import { maxRemoteUrlCharacters } from '../limits.ts'

/** Where else than to the internet requests may go. */
export interface Reach {
  /** To this machine, also without TLS. */
  readonly allowLoopback: boolean
  /** To private networks (RFC 1918, RFC 4193, RFC 6598); never to link-local addresses and a cloud's metadata. */
  readonly allowPrivate?: boolean | undefined
}

/** IPv4 as it is embedded by an IPv6-only network's gateway (RFC 6052). */
const translated = '64:ff9b::'

function blockList(ranges: readonly string[]): BlockList {
  const list = new BlockList()
  for (const range of ranges) {
    const [address = '', bits] = range.split('/')
    if (isIP(address) === 6) list.addSubnet(address, Number(bits), 'ipv6')
    else {
      list.addSubnet(address, Number(bits), 'ipv4')
      list.addSubnet(translated + address, 96 + Number(bits), 'ipv6')
    }
  }
  return list
}

const loopback = blockList(['127.0.0.0/8', '::1/128'])
const privateNetworks = blockList(['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7'])
/** Clouds' metadata where it is not link-local. */
const metadata = blockList(['100.100.100.200/32', '168.63.129.16/32', 'fd00:ec2::254/128', 'fd20:ce::254/128'])
/** IPv4 that is no public host (IANA's special-purpose registry), and IPv6 that embeds such. */
const special = blockList([
  ...['0.0.0.0/8', '169.254.0.0/16', '192.0.0.0/24', '192.0.2.0/24', '192.88.99.0/24', '198.18.0.0/15'],
  ...['198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4'],
  ...['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'],
])
/** IPv6 that is public, but for the special ones: all else is refused, IPv4 in disguise included. */
const global = blockList(['2000::/3', `${translated}/96`])

type Zone = 'public' | 'private' | 'loopback' | 'forbidden'

function zoneOf(address: string): Zone {
  const family = isIP(address) === 4 ? 'ipv4' : 'ipv6'
  const isIn = (list: BlockList) => list.check(address, family)
  if (isIn(metadata) || isIn(special)) return 'forbidden'
  if (isIn(loopback)) return family === 'ipv6' && address !== '::1' ? 'forbidden' : 'loopback'
  if (isIn(privateNetworks)) return 'private'
  return family === 'ipv4' || isIn(global) ? 'public' : 'forbidden'
}

const refused = () => new Failure('invalid_request', 'the URL leads where requests may not go')

function checkAddress(address: string, isPlain: boolean, { allowLoopback, allowPrivate }: Reach): void {
  const zone = zoneOf(address)
  if (zone === 'loopback' ? allowLoopback : !isPlain && (zone === 'public' || (zone === 'private' && allowPrivate)))
    return
  throw refused()
}

/** Finds the addresses of a name, as `dns.lookup` does. */
export type Resolve = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void

/** Without brackets. */
const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, '')

/**
 * A URL that may be asked for something, as far as it tells by itself: https (http on this machine, where that is allowed),
 * no user, no fragment, no address that is not to be reached.
 * @throws Failure `invalid_request`
 */
export function remoteUrl(text: string, reach: Reach): URL {
  if (text.length > maxRemoteUrlCharacters || !URL.canParse(text)) throw new Failure('invalid_request', 'not a URL')
  const url = new URL(text)
  const isPlain = url.protocol === 'http:' && reach.allowLoopback
  if (url.protocol !== 'https:' && !isPlain) throw new Failure('invalid_request', 'the URL must begin with https://')
  if (url.username !== '' || url.password !== '' || url.hash !== '') {
    throw new Failure('invalid_request', 'the URL may hold neither user nor fragment')
  }
  const host = hostOf(url)
  if (isIP(host) !== 0) checkAddress(host, isPlain, reach)
  else if (/(^|\.)localhost\.?$/.test(host) && !reach.allowLoopback) throw refused()
  return url
}

/** Resolves names for a connection, which is made to the very addresses that were looked at. */
export function guardedLookup(isPlain: boolean, reach: Reach, resolve: Resolve = lookup): LookupFunction {
  return (hostname, options, callback) => {
    const every = { ...options, all: true } as LookupAllOptions
    resolve(hostname, every, (error, addresses) => {
      if (error) return callback(error, '')
      try {
        // One that is not to be reached makes all of them suspicious.
        for (const { address } of addresses) checkAddress(address, isPlain, reach)
      } catch (thrown) {
        return callback(thrown as Failure, '')
      }
      const [first] = addresses
      if (options.all) return callback(null, addresses)
      callback(null, first!.address, first!.family)
    })
  }
}

/**
 * A URL that may be asked for something, its name resolved: for URLs that are registered. It is looked at again with each request.
 * @throws Failure `invalid_request`, also when the name cannot be resolved
 */
export async function checkRemoteUrl(text: string, reach: Reach): Promise<URL> {
  const url = remoteUrl(text, reach)
  const host = hostOf(url)
  if (isIP(host) !== 0) return url
  await new Promise<void>((settle, reject) => {
    guardedLookup(url.protocol === 'http:', reach)(host, { all: true }, (error) => (error ? reject(error) : settle()))
  }).catch((cause: unknown) => {
    throw cause instanceof Failure ? cause : new Failure('invalid_request', 'the name in the URL is unknown', { cause })
  })
  return url
}
