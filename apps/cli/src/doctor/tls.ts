import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect } from 'node:tls'

interface TlsFiles {
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
}

/** The files of a `tls` section, as Node.js takes them. */
export function readTls(files: TlsFiles | undefined): { ca?: Buffer; cert?: Buffer; key?: Buffer } | undefined {
  if (files === undefined) return undefined
  const given = Object.entries(files).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return Object.fromEntries(given.map(([name, path]) => [name, readFileSync(path)]))
}

/** The certificate that a server shows, whoever signed it. @throws Error when there is no handshake */
export async function presentedCertificate(
  { host, port }: { host: string; port: number },
  signal: AbortSignal,
): Promise<X509Certificate> {
  // Looked at, not relied on: nothing is sent.
  const socket = connect({ host, port, rejectUnauthorized: false, ALPNProtocols: ['h2', 'http/1.1'] })
  try {
    await once(socket, 'secureConnect', { signal })
    const certificate = socket.getPeerX509Certificate()
    if (certificate === undefined) throw new Error('the server shows no certificate')
    return certificate
  } finally {
    socket.destroy()
  }
}

/** Whether it is the first certificate in this file. */
export const isOf = (certificate: X509Certificate, path: string): boolean =>
  certificate.fingerprint256 === new X509Certificate(readFileSync(path)).fingerprint256
