import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Pair {
  cert: Buffer
  key: Buffer
}

/** A certificate authority for one test, made with the openssl program. */
export class TestAuthority {
  readonly #folder = mkdtempSync(join(tmpdir(), 'countersign-certificates-'))
  readonly ca: Buffer

  constructor() {
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
    this.#openssl(['req', '-x509', ...curve, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=ca', '-days', '2'])
    this.ca = this.#read('ca.pem')
  }

  /** For localhost and 127.0.0.1. */
  issue(name: string): Pair {
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
    const names = ['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
    this.#openssl(['req', ...curve, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`, ...names])
    const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-copy_extensions', 'copy', '-days', '2']
    this.#openssl(['x509', '-req', '-in', `${name}.csr`, '-out', `${name}.pem`, ...signed])
    return { cert: this.#read(`${name}.pem`), key: this.#read(`${name}.key`) }
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #read(name: string): Buffer {
    return readFileSync(join(this.#folder, name))
  }

  #openssl(args: string[]): void {
    execFileSync('openssl', args, { cwd: this.#folder, stdio: 'pipe' })
  }
}
