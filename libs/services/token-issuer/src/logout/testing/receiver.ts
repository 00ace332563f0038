import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Received {
  readonly headers: IncomingHttpHeaders
  readonly body: URLSearchParams
}

/** An application that is told of sign-outs, over HTTP on this machine. */
export class Receiver {
  readonly received: Received[] = []
  readonly #server: Server

  /** @param answer what it does the nth time, from 1 */
  constructor(answer: (response: ServerResponse, n: number) => void) {
    this.#server = createServer((request, response) => {
      let body = ''
      request.on('data', (piece) => (body += piece))
      request.on('end', () => {
        this.received.push({ headers: request.headers, body: new URLSearchParams(body) })
        answer(response, this.received.length)
      })
    })
  }

  /** @returns where it is told */
  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/logout`
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

export const answering = (status: number) => (response: ServerResponse) => void response.writeHead(status).end()
