import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { request } from 'node:https'
import { connect as connectTls, getCACertificates, setDefaultCACertificates } from 'node:tls'
import { TestAuthority } from '@countersign/rpc/testing/certificates'
import { rawConnection, route, serve, type Served } from '../testing/http.ts'
import type { HttpRequest } from './route.ts'

let ours: TestAuthority
let theirs: TestAuthority
let served: Served

beforeAll(async () => {
  ours = new TestAuthority()
  theirs = new TestAuthority()
  const GET = ({ clientCertificate }: { clientCertificate: { subject: { CN?: string | string[] } } | undefined }) => ({
    status: 200,
    body: String(clientCertificate?.subject.CN ?? 'nobody'),
  })
  const pair = ours.issue('server')
  served = await serve([route('/', { GET })], { tls: { ...pair, clientCa: ours.ca } })
})
afterAll(async () => {
  await served.server.close(0)
  ours.remove()
  theirs.remove()
})

const ask = (options: object): Promise<string> =>
  new Promise((resolve, reject) => {
    const sent = request({ host: 'localhost', port: served.port, agent: false, ...options }, (response) => {
      let text = ''
      response.on('data', (chunk) => (text += String(chunk)))
      response.on('end', () => resolve(text))
    })
    sent.on('error', reject).end()
  })

test('a client is proved by the certificate that our authority gave it, and by no other', async () => {
  expect(await ask({ ca: ours.ca, ...ours.issue('gateway') })).toBe('gateway')
  expect(await ask({ ca: ours.ca })).toBe('nobody')
  expect(await ask({ ca: ours.ca, ...theirs.issue('gateway') })).toBe('nobody')
})

test('a certificate that nobody vouches for is shown as presented, and proves nothing', async () => {
  const said = ({ clientCertificate, presentedCertificate }: HttpRequest) => ({
    status: 200,
    body: `${clientCertificate?.subject.CN ?? 'nobody'} ${presentedCertificate?.subject.CN ?? 'nothing'}`,
  })
  const pair = ours.issue('server')
  const selfSigned = { ...theirs.issue('own') }
  const servers = [
    { tls: { ...pair, selfSignedClients: true }, expected: ['nobody own', 'nobody gateway', 'nobody nothing'] },
    {
      tls: { ...pair, clientCa: ours.ca, selfSignedClients: true },
      expected: ['nobody own', 'gateway gateway', 'nobody nothing'],
    },
    { tls: pair, expected: ['nobody nothing', 'nobody nothing', 'nobody nothing'] },
  ]
  for (const { tls, expected } of servers) {
    const { server, port } = await serve([route('/', { GET: said })], { tls })
    const asked = [selfSigned, ours.issue('gateway'), {}].map((own) => ask({ port, ca: ours.ca, ...own }))
    expect(await Promise.all(asked)).toEqual(expected)
    await server.close(0)
  }
})

test('without an authority of ours, nobody that the system trusts is vouched for', async () => {
  const said = ({ clientCertificate }: HttpRequest) => ({ status: 200, body: clientCertificate ? 'known' : 'nobody' })
  const authorities = getCACertificates('default')
  const tls = { ...ours.issue('server'), selfSignedClients: true }
  setDefaultCACertificates([...authorities, theirs.ca.toString()])
  const { server, port } = await serve([route('/', { GET: said })], { tls })
  try {
    expect(await ask({ port, ca: ours.ca, ...theirs.issue('gateway') })).toBe('nobody')
  } finally {
    setDefaultCACertificates(authorities)
    await server.close(0)
  }
})

test('TLS 1.1 and plaintext are refused', async () => {
  await expect(ask({ ca: ours.ca, maxVersion: 'TLSv1.1', minVersion: 'TLSv1' })).rejects.toThrow()
  await expect(fetch(`http://127.0.0.1:${served.port}/`)).rejects.toThrow()
})

test('a new certificate is taken without a restart', async () => {
  served.server.replaceTls({ ...theirs.issue('server'), clientCa: ours.ca })
  await expect(ask({ ca: ours.ca })).rejects.toThrow()
  expect(await ask({ ca: theirs.ca })).toBe('nobody')
})

test('closing drops a connection that never asked anything, or never even shook hands', async () => {
  const other = await serve([], { tls: { ...ours.issue('server'), clientCa: ours.ca } })
  const idle = connectTls({ host: 'localhost', port: other.port, ca: ours.ca })
  await new Promise((resolve) => idle.once('secureConnect', resolve))
  const silent = await rawConnection(other.port)
  const startedMs = performance.now()
  await other.server.close(60_000)
  await silent.closed
  expect(performance.now() - startedMs).toBeLessThan(30_000)
  idle.destroy()
})
