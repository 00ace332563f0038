import { once } from 'node:events'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '@countersign/servers'
import { startCommand } from './command.ts'

const secrets = {
  batch: 'batch-secret-of-a-test',
  'reports-api': 'reports-secret-of-a-test',
  operator: 'operator-secret-of-a-test',
}

export type ClientId = keyof typeof secrets

const configuration = (ports: readonly number[], more: string): string => `version: 1
issuer: http://localhost:${ports[0]}
listen: { http: "127.0.0.1:${ports[0]}", grpc: "127.0.0.1:${ports[1]}", management: "127.0.0.1:${ports[2]}" }
resources:
  - { id: reports, audience: https://reports.example, scopes: { "read:reports": "Read reports" } }
clients:
  - { id: batch, secret: ${secrets.batch}, grants: [client_credentials], scopes: ["read:reports"], audience: [reports] }
  - { id: reports-api, secret: ${secrets['reports-api']}, introspect: [reports] }
  - { id: operator, secret: ${secrets.operator}, audit: true, admin: true }
  - { id: certified, tls_client_auth_subject_dn: CN=caller, introspect: [reports] }
${more}`

/** The whole of Countersign in one process, started as an operator would. */
export class Stack {
  readonly folder = mkdtempSync(join(tmpdir(), 'countersign-stack-'))
  readonly config = join(this.folder, 'countersign.yaml')
  httpPort = 0
  grpcPort = 0
  readonly #more: string
  #child: ChildProcess | undefined

  /** @param more for the configuration */
  constructor(more = '') {
    this.#more = more
  }

  get issuer(): string {
    return `http://localhost:${this.httpPort}`
  }

  async start(): Promise<this> {
    if (this.httpPort === 0) {
      const ports = await Promise.all([freePort(), freePort(), freePort()])
      writeFileSync(this.config, configuration(ports, this.#more))
      ;[this.httpPort, this.grpcPort] = ports
    }
    const child = startCommand(['serve', 'all', '--config', this.config], { cwd: this.folder })
    this.#child = child
    let output = ''
    const ready = new Promise<void>((resolve, reject) => {
      child.stdout!.on('data', (chunk) => (output += chunk).includes('is ready"') && resolve())
      child.stderr!.on('data', (chunk) => (output += chunk))
      child.once('exit', (code) => reject(new Error(`serve ended with ${code}:\n${output}`)))
    })
    await ready
    return this
  }

  /** What a command needs to be this client. */
  as(id: ClientId): Record<string, string> {
    return { COUNTERSIGN_ISSUER: this.issuer, COUNTERSIGN_CLIENT_ID: id, COUNTERSIGN_CLIENT_SECRET: secrets[id] }
  }

  /** A token for `batch`. */
  async issue(): Promise<string> {
    const authorization = `Basic ${Buffer.from(`batch:${secrets.batch}`).toString('base64')}`
    const body = new URLSearchParams({ grant_type: 'client_credentials' })
    const response = await fetch(`${this.issuer}/oauth2/token`, { method: 'POST', headers: { authorization }, body })
    return ((await response.json()) as { access_token: string }).access_token
  }

  async end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null
    child.kill(signal)
    const [code] = (await once(child, 'exit')) as [number | null]
    return code
  }

  async stop(): Promise<void> {
    await this.end('SIGKILL')
    rmSync(this.folder, { recursive: true, force: true })
  }
}
