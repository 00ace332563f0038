import { once } from 'node:events'
import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { isLoopback } from '@countersign/chassis/config'
import { Client } from 'ldapts'
import { limits } from './limits.ts'

export interface DirectoryServer {
  /** `ldap://` or `ldaps://`. Outside loopback, and wherever there is a `ca`, the former has to offer StartTLS. */
  readonly url: string
  /** PEM of the authorities to trust; absent: those that Node trusts. */
  readonly ca?: string | Buffer | undefined
  /** Absent: the directory is read as anybody may. */
  readonly bindDn?: string | undefined
  readonly bindPassword?: { reveal(): string } | undefined
}

/** More than is taken of one person, which says nothing about others; the message holds nothing of anybody. */
export class Excess extends Error {
  override readonly name = 'Excess'
}

const startTls = '1.3.6.1.4.1.1466.20037'

/** RFC 4516, as far as it names a server. */
export function serverOf({ url, ca }: Pick<DirectoryServer, 'url' | 'ca'>) {
  const { protocol, hostname, port } = new URL(url)
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  const isSecure = protocol === 'ldaps:'
  const upgrades = !isSecure && (ca !== undefined || !isLoopback(host))
  return { host, port: port === '' ? (isSecure ? 636 : 389) : Number(port), isSecure, upgrades }
}

/** A client on this one connection: by itself it would open another one, in the clear and as nobody, when that is lost. */
function clientOn(socket: Socket, url: string): Client {
  let isTaken = false
  const createConnection = () => {
    if (isTaken) throw new Error('the connection was lost')
    isTaken = true
    return socket
  }
  return new Client({ url: url.replace(/^ldaps:/, 'ldap:'), createConnection: createConnection as typeof connect })
}

/**
 * Asks a directory on a connection of its own, which costs a millisecond and is never a stale one.
 * @param signal when it is aborted, its reason is thrown
 * @throws whatever went wrong; the connection is gone in any case
 */
export async function converse<T>(
  server: DirectoryServer,
  signal: AbortSignal,
  ask: (client: Client) => Promise<T>,
): Promise<T> {
  const { promise: broken, reject } = Promise.withResolvers<never>()
  const abort = () => reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  const sockets: Socket[] = []
  let bytes = 0
  const watched = <S extends Socket>(socket: S): S => {
    sockets.push(socket)
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > limits.answerBytes) reject(new Excess('the answer is too long'))
    })
    return socket
  }
  const talk = async () => {
    const client = clientOn(await open(server, watched), server.url)
    const { bindDn, bindPassword } = server
    if (bindDn !== undefined) await client.bind(bindDn, bindPassword?.reveal() ?? '')
    return ask(client)
  }
  try {
    signal.throwIfAborted()
    return await Promise.race([broken, talk()])
  } finally {
    signal.removeEventListener('abort', abort)
    for (const socket of sockets) socket.on('error', () => undefined).destroy()
  }
}

async function open(server: DirectoryServer, watched: <S extends Socket>(socket: S) => S): Promise<Socket> {
  const { host, port, isSecure, upgrades } = serverOf(server)
  const trust = { host, ...(isIP(host) === 0 && { servername: host }), ...(server.ca && { ca: server.ca }) }
  const plain = isSecure ? undefined : watched(connect(port, host))
  if (plain) await once(plain, 'connect')
  if (plain && !upgrades) return plain
  if (plain) {
    await clientOn(plain, server.url).exop(startTls)
    // What came in the clear is not listened to any more, not even what is left of it.
    plain.removeAllListeners('data')
  }
  const secured = watched(connectTls(plain ? { ...trust, socket: plain } : { ...trust, port }))
  await once(secured, 'secureConnect')
  return secured
}
