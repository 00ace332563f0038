import type { ServerResponse } from 'node:http'

/** How an endpoint answers. */
export type Behaviour = (response: ServerResponse, form: URLSearchParams) => void

export const json =
  (document: unknown, status = 200): Behaviour =>
  (response) =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(document))

export const text =
  (body: string, status = 200, contentType = 'text/html'): Behaviour =>
  (response) =>
    void response.writeHead(status, { 'content-type': contentType }).end(body)

/** Never a byte. */
export const hang: Behaviour = () => undefined

/** A byte now and then, for ever. */
export const drip: Behaviour = (response) => {
  response.writeHead(200, { 'content-type': 'application/json' }).write('{')
  const timer = setInterval(() => response.write(' '), 20)
  response.once('close', () => clearInterval(timer))
}

export const large =
  (bytes = 5_000_000): Behaviour =>
  (response) =>
    void response.writeHead(200, { 'content-type': 'application/json' }).end(`{"x":"${'x'.repeat(bytes)}"}`)

export const redirect =
  (location: string, status = 302): Behaviour =>
  (response) =>
    void response.writeHead(status, { location }).end()

/** Hangs up. */
export const cut: Behaviour = (response) => void response.destroy()
