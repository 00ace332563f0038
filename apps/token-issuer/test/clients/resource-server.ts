import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { allowInsecureRequests, validateJwtAccessToken } from 'oauth4webapi'
import { discover } from './oauth4webapi.ts'

export interface ResourceServer {
  readonly url: URL
  stop(): void
}

/** Checks JWT access tokens by itself, with their DPoP proofs (RFC 9068, RFC 9449): 200 with the claims, or 401. */
export async function startResourceServer(issuerUrl: string, audience: string): Promise<ResourceServer> {
  const issuer = await discover(issuerUrl)
  const server = createServer((incoming, outgoing) => {
    const headers = Object.entries(incoming.headers).map(([name, value]): [string, string] => [name, String(value)])
    const request = new Request(new URL(incoming.url!, url), { headers })
    validateJwtAccessToken(issuer, request, audience, { [allowInsecureRequests]: true }).then(
      (claims) => outgoing.end(JSON.stringify(claims)),
      () => outgoing.writeHead(401).end(),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/all`)
  return {
    url,
    stop() {
      server.close()
      server.closeAllConnections()
    },
  }
}
