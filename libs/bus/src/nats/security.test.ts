import { findProgram, startNats, temporaryFolder, type NatsServer } from '@countersign/servers'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { eventually } from '../conformance/eventually.ts'
import type { Log } from '../log.ts'
import type { Bus } from '../port.ts'
import { openNatsBus } from './nats-bus.ts'
import type { NatsOptions } from './options.ts'

const folder = temporaryFolder('certificates')
const path = (name: string) => join(folder, name)
const ends: (() => Promise<unknown>)[] = []

beforeAll(() => {
  makeAuthority('ca')
  makeAuthority('stranger')
  issue('server', 'subjectAltName=IP:127.0.0.1')
  issue('named', 'subjectAltName=DNS:localhost')
  issue('elsewhere', 'subjectAltName=IP:127.0.0.9,DNS:elsewhere')
  issue('client', 'subjectAltName=DNS:audit')
})
afterAll(() => rmSync(folder, { recursive: true }))
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

function openssl(...args: string[]): void {
  const made = spawnSync(findProgram('openssl', 'openssl'), args, { cwd: folder, encoding: 'utf8' })
  if (made.status !== 0) throw new Error(`openssl ${args[0]} failed:\n${made.stderr}`)
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']

function makeAuthority(name: string): void {
  const out = ['-keyout', `${name}.key`, '-out', `${name}.pem`, '-days', '2', '-subj', `/CN=${name}`]
  openssl('req', '-x509', ...newKey, ...out)
}

function issue(name: string, extensions: string): void {
  openssl('req', ...newKey, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`)
  writeFileSync(path(`${name}.ext`), extensions)
  const signing = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', `${name}.ext`]
  openssl('x509', '-req', '-in', `${name}.csr`, ...signing, '-out', `${name}.pem`)
}

async function nats(...config: string[]): Promise<NatsServer> {
  const server = await startNats({ config })
  ends.push(() => server.stop())
  return server
}

const tlsConfig = (name: string, verify = false) =>
  `tls { cert_file: "${path(`${name}.pem`)}", key_file: "${path(`${name}.key`)}", ca_file: "${path('ca.pem')}", verify: ${verify} }`

function busOn(server: string, options: Partial<NatsOptions>): { bus: Bus; lines: string[] } {
  const lines: string[] = []
  const keep = (fields: object, message: string) => void lines.push(`${JSON.stringify(fields)} ${message}`)
  const log: Log = { info: keep, warn: keep }
  const bus = openNatsBus({ servers: [server], name: 'test', log, ...options })
  ends.push(() => bus.close())
  return { bus, lines }
}

async function comesUp(server: string, options: Partial<NatsOptions>): Promise<void> {
  const { bus } = busOn(server, options)
  await eventually(() => bus.state() === 'up')
}

/** It stays down, says why, and says nothing secret. */
async function isRefused(server: string, options: Partial<NatsOptions>, why: RegExp): Promise<void> {
  const { bus, lines } = busOn(server, options)
  await eventually(() => lines.some((line) => why.test(line)))
  expect(bus.state()).toBe('down')
  expect(lines.join('\n')).not.toMatch(/s3cret/)
}

describe('who connects', () => {
  test('proves it by name and password, given apart or in the URL', async () => {
    const { port } = await nats('authorization { user: "audit", password: "s3cret" }')
    await comesUp(`nats://127.0.0.1:${port}`, { credentials: { user: 'audit', password: 's3cret' } })
    await comesUp(`nats://audit:s3cret@127.0.0.1:${port}`, {})
    await isRefused(`nats://audit:s3cret-not@127.0.0.1:${port}`, {}, /authorization violation/i)
    await isRefused(`nats://127.0.0.1:${port}`, {}, /authorization violation/i)
  })

  test('proves it by a token', async () => {
    const { port } = await nats('authorization { token: "s3cret" }')
    await comesUp(`nats://127.0.0.1:${port}`, { credentials: { token: 's3cret' } })
    await comesUp(`nats://s3cret@127.0.0.1:${port}`, {})
    await isRefused(`nats://127.0.0.1:${port}`, { credentials: { token: 's3cret-not' } }, /authorization violation/i)
  })

  test('proves it by a certificate', async () => {
    const { port } = await nats(tlsConfig('server', true))
    const client = { caFile: path('ca.pem'), certFile: path('client.pem'), keyFile: path('client.key') }
    await comesUp(`tls://127.0.0.1:${port}`, { tls: client })
    await isRefused(`tls://127.0.0.1:${port}`, { tls: { caFile: path('ca.pem') } }, /bus is down/)
  })
})

describe('TLS', () => {
  test('is used with a server whose certificate names its address or its name', async () => {
    const { port } = await nats(tlsConfig('server'))
    await comesUp(`tls://127.0.0.1:${port}`, { tls: { caFile: path('ca.pem') } })
    const { port: namedPort } = await nats(tlsConfig('named'))
    await comesUp(`tls://localhost:${namedPort}`, { tls: { caFile: path('ca.pem') } })
  })

  test('is refused with a server that nobody trusted vouches for', async () => {
    const { port } = await nats(tlsConfig('server'))
    await isRefused(`tls://127.0.0.1:${port}`, { tls: { caFile: path('stranger.pem') } }, /certificate/)
    await isRefused(`tls://127.0.0.1:${port}`, {}, /certificate/)
  })

  test('is refused with a server whose certificate names another', async () => {
    const { port } = await nats(tlsConfig('elsewhere'))
    await isRefused(`tls://127.0.0.1:${port}`, { tls: { caFile: path('ca.pem') } }, /does not match certificate/)
    await isRefused(`tls://localhost:${port}`, { tls: { caFile: path('ca.pem') } }, /does not match certificate/)
  })

  test('is never given up for a server that does not offer it', async () => {
    const { port } = await nats()
    await isRefused(`tls://127.0.0.1:${port}`, {}, /does not support 'tls'/)
    await isRefused(`nats://127.0.0.1:${port}`, { tls: {} }, /does not support 'tls'/)
  })
})
