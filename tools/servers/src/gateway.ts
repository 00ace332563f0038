import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Gateway {
  url: string
  /** Where a path leads from now on: origins by the beginning of a path. */
  lead(routes: Readonly<Record<string, string>>): void
  stop(): Promise<void>
}

/** Joins services under one origin, as a reverse proxy does: the longest beginning of a path decides. @param wanted a port */
export async function startGateway(wanted = 0): Promise<Gateway> {
  let routes: [string, string][] = []

  function forward(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const target = routes.find(([beginning]) => incoming.url!.startsWith(beginning))?.[1]
    if (target === undefined) return void outgoing.writeHead(502).end()
    const { headers, method, url } = incoming
    const peer = incoming.socket.remoteAddress ?? ''
    const passed = request(target + url, { method, headers: { ...headers, 'x-forwarded-for': peer } }, (answer) => {
      outgoing.writeHead(answer.statusCode!, answer.rawHeaders)
      answer.pipe(outgoing)
    })
    passed.on('error', () => outgoing.writeHead(502).end())
    incoming.pipe(passed)
  }

  const server = createServer(forward)
  await new Promise<void>((resolve) => server.listen(wanted, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    lead: (given) => void (routes = Object.entries(given).toSorted(([a], [b]) => b.length - a.length)),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
