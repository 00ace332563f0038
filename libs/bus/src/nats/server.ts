import { Failure } from '@countersign/contracts'
import { connect } from 'node:net'

export interface ServerAddress {
  /** `host:port`, with no secret in it. */
  address: string
  host: string
  port: number
  /** From the URL; a user without a password is a token. */
  user?: string
  password?: string
}

const defaultPort = 4222

/** @throws Failure `invalid_request` when it is no `nats://` or `tls://` URL. The message does not repeat it: it may hold a password. */
export function parseServer(url: string): ServerAddress {
  const parsed = URL.parse(url)
  if (!parsed || !['nats:', 'tls:'].includes(parsed.protocol) || parsed.hostname === '') {
    throw new Failure('invalid_request', 'a NATS server is written nats://host:port or tls://host:port')
  }
  const { hostname, username, password } = parsed
  const port = Number(parsed.port || defaultPort)
  const server: ServerAddress = { address: `${hostname}:${port}`, host: hostname.replace(/^\[|\]$/g, ''), port }
  if (username !== '') server.user = decodeURIComponent(username)
  if (password !== '') server.password = decodeURIComponent(password)
  return server
}

/** Resolves once a NATS server there speaks. @throws when it does not within the time. */
export function greeting({ host, port }: ServerAddress, timeoutMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, signal, timeout: timeoutMs })
    socket.once('data', (first: Buffer) => {
      socket.destroy()
      if (first.toString('latin1', 0, 5) === 'INFO ') resolve()
      else reject(new Error('what answers there is no NATS server'))
    })
    socket.once('timeout', () => socket.destroy(new Error('the server does not answer')))
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('the server hung up')))
  })
}
