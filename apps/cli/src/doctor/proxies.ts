import { isIP } from 'node:net'
import { isLoopback } from '@countersign/chassis/config'
import { fail, ok, warn, type Check, type Finding } from './finding.ts'

const check = 'proxies'

export const proxies: Check = {
  name: check,
  mend: 'name the proxies in trusted_proxies',
  async run({ loaded: { config } }) {
    const { trustedProxies, issuer, http, listen } = config
    const found = trustedProxies.flatMap(inspectRange)
    if (found.length > 0) return found
    if (trustedProxies.length > 0)
      return [ok(check, `forwarding headers are believed from ${trustedProxies.join(', ')}`)]
    const isBehind = issuer.startsWith('https:') && http.cert === undefined
    if (!isBehind) return [ok(check, 'none: forwarding headers are ignored')]
    const where = isLoopback(listen.http.host) ? 'loopback' : 'the range that the gateway is in, such as 10.0.0.0/8'
    const what =
      'something ends TLS for the issuer, and trusted_proxies is empty: events will name its address as every caller’s'
    return [warn(check, what, `trusted_proxies: [${where}]`)]
  },
}

/** Bits under which a range is more than any network of one's own. */
const widest = { 4: 8, 6: 32 } as const

function inspectRange(range: string): Finding[] {
  const [address = '', bits] = range.split('/')
  const family = isIP(address)
  if (family === 0 || bits === undefined) return []
  if (Number(bits) === 0) {
    return [fail(check, `${range} is everybody: anyone can claim any address`, 'name the proxies’ own addresses')]
  }
  if (Number(bits) >= widest[family as 4 | 6]) return []
  return [
    warn(check, `${range} is very wide: whoever is in it can claim any address`, 'name the proxies’ own addresses'),
  ]
}
