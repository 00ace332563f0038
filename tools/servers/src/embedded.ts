import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Addresses } from './caller.ts'
import { freePort, ServerProcess, temporaryFolder } from './process.ts'
import { repositoryRoot } from './root.ts'

export interface Embedded extends Addresses {
  process: ServerProcess
  grpcTarget: string
  management: string
  masterKey: string
  stop(): Promise<void>
}

export interface EmbeddedOptions {
  /** What browsers know it under, such as `http://localhost:PORT`, with a port of loopback that is free. */
  issuer?: string
  /** More lines of the configuration, as YAML. */
  config?: string
  /** More lines under `clients:`. */
  clients?: string[]
}

/** Everything in one process on SQLite, configured by a file, in a folder of its own. */
export async function startEmbedded({ issuer, config = '', clients = [] }: EmbeddedOptions = {}): Promise<Embedded> {
  const folder = temporaryFolder('embedded')
  const http = issuer === undefined ? await freePort() : Number(new URL(issuer).port)
  const [grpc, management] = [await freePort(), await freePort()]
  const secret = () => randomBytes(24).toString('base64url')
  const secrets = { batch: secret(), 'reports-api': secret(), operator: secret() }
  const issuerUrl = issuer ?? `http://127.0.0.1:${http}`
  const masterKey = secret()
  const lines = [
    'version: 1',
    `master_key: ${masterKey}`,
    `issuer: ${issuerUrl}`,
    `listen: { http: 127.0.0.1:${http}, grpc: 127.0.0.1:${grpc}, management: 127.0.0.1:${management} }`,
    'log: { level: warn }',
    'resources:',
    "  - { id: reports, audience: https://reports.example, scopes: { 'read:reports': Read reports } }",
    "  - { id: mail, audience: https://mail.example, scopes: { 'read:mail': Read mail } }",
    'clients:',
    `  - { id: batch, secret: ${secrets.batch}, grants: [client_credentials], scopes: ['read:reports'], audience: [reports] }`,
    `  - { id: reports-api, secret: ${secrets['reports-api']}, introspect: [reports] }`,
    `  - { id: operator, secret: ${secrets.operator}, audit: true }`,
    ...clients.map((client) => `  - ${client}`),
    config,
  ]
  writeFileSync(join(folder, 'countersign.yaml'), `${lines.join('\n')}\n`)
  const process_ = new ServerProcess({
    program: process.execPath,
    args: [join(repositoryRoot, 'apps/embedded/src/main.ts'), '--config', join(folder, 'countersign.yaml')],
    port: management,
    folder,
    ready: () =>
      fetch(`http://127.0.0.1:${management}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      ),
  })
  await process_.start()
  return {
    process: process_,
    issuerUrl,
    introspectionUrl: issuerUrl,
    auditUrl: issuerUrl,
    grpcTarget: `127.0.0.1:${grpc}`,
    management: `http://127.0.0.1:${management}`,
    secrets,
    masterKey,
    stop: () => process_.stop(),
  }
}
