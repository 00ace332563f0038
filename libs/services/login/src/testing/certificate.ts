import { execFileSync } from 'node:child_process'
import type { KeyObject } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A certificate of a server at localhost and 127.0.0.1 that is its own authority, made with the openssl program. */
export function makeCertificate(): { cert: string; key: string } {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-certificate-'))
  try {
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=localhost']
    const names = ['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
    const args = ['req', '-x509', ...curve, ...names, '-days', '2', '-keyout', 'key.pem', '-out', 'cert.pem']
    execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
    const read = (name: string) => readFileSync(join(folder, name), 'utf8')
    return { cert: read('cert.pem'), key: read('key.pem') }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/**
 * A certificate for a key of Android's, about this challenge (the extension is of Android's key attestation), that says where its
 * authority tells what it took back; and that authority's. As DER.
 */
export function makeRevocable(url: string, challenge: Buffer, key: KeyObject): [leaf: Buffer, authority: Buffer] {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-revocable-'))
  const run = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
  // SEQUENCE of versions, the challenge (OCTET STRING), and three that are empty.
  const head = Buffer.from('30340201030a01010201040a01010420', 'hex')
  const description = Buffer.concat([head, challenge, Buffer.from('040030003000', 'hex')])
  const extension = `1.3.6.1.4.1.11129.2.1.17=DER:${description.toString('hex').replace(/..(?=.)/g, '$&:')}`
  try {
    writeFileSync(join(folder, 'leaf.key'), key.export({ type: 'pkcs8', format: 'pem' }))
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
    run('req', '-x509', ...curve, '-subj', '/CN=authority', '-keyout', 'ca.key', '-out', 'ca.pem')
    const extensions = ['-addext', `crlDistributionPoints=URI:${url}`, '-addext', extension]
    const issued = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-key', 'leaf.key', '-days', '2']
    run('req', '-x509', ...issued, ...extensions, '-subj', '/CN=leaf', '-out', 'leaf.pem')
    const der = (name: string) => run('x509', '-in', name, '-outform', 'der')
    return [der('leaf.pem'), der('ca.pem')]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
