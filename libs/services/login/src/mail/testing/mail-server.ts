import { SMTPServer, type SMTPServerOptions } from 'smtp-server'

export interface ReceivedLetter {
  from: string
  to: string[]
  /** Headers and body as they came. */
  source: string
  secure: boolean
  user: string | undefined
}

export interface MailServer {
  port: number
  received: ReceivedLetter[]
  /** Connections that were made, and the most that there were at once. */
  connections: { all: number; most: number; now: number }
  stop(): Promise<void>
}

/** An SMTP server on loopback that keeps what it is given. */
export async function startMailServer(options: SMTPServerOptions = {}): Promise<MailServer> {
  const received: ReceivedLetter[] = []
  const connections = { all: 0, most: 0, now: 0 }
  const server = new SMTPServer({
    authOptional: true,
    disableReverseLookup: true,
    closeTimeout: 100,
    hideSTARTTLS: options.key === undefined,
    onConnect(_, callback) {
      connections.all++
      connections.now++
      connections.most = Math.max(connections.most, connections.now)
      callback()
    },
    onClose: () => void connections.now--,
    onData(stream, { envelope, secure, user }, callback) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address
        const to = envelope.rcptTo.map(({ address }) => address)
        received.push({ from, to, source: Buffer.concat(chunks).toString(), secure, user: user as string | undefined })
        callback()
      })
    },
    ...options,
  })
  server.on('error', () => undefined)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    port: address.port,
    received,
    connections,
    stop: () => new Promise<void>((resolve) => server.close(() => resolve())),
  }
}

/** An answer other than yes: 4yz or 5yz (RFC 5321 section 4.2). */
export const refusal = (responseCode: number, message: string): Error =>
  Object.assign(new Error(message), { responseCode })
