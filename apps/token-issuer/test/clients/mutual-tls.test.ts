import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createHash, X509Certificate } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { TestAuthority, type Pair } from '@countersign/rpc/testing/certificates'
import { basic, startEmbedded, temporaryFolder, type Embedded } from '@countersign/servers'

const thumbprint = ({ cert }: Pair): string =>
  createHash('sha256').update(new X509Certificate(cert).raw).digest('base64url')

describe('clients with certificates (RFC 8705)', () => {
  const [ours, other] = [new TestAuthority(), new TestAuthority()]
  const [server, vouched, alone, stranger] = [
    ours.issue('server'),
    ours.issue('machine'),
    other.issue('alone'),
    other.issue('machine'),
  ]
  let at: Embedded

  beforeAll(async () => {
    const folder = temporaryFolder('mutual-tls')
    const file = (name: string, content: Buffer) => (writeFileSync(join(folder, name), content), join(folder, name))
    const files = [file('cert.pem', server.cert), file('key.pem', server.key), file('ca.pem', ours.ca)]
    const { x, y, crv, kty } = new X509Certificate(alone.cert).publicKey.export({ format: 'jwk' })
    const x5c = new X509Certificate(alone.cert).raw.toString('base64')
    const machine =
      "grants: [client_credentials], scopes: ['read:reports'], audience: [reports], bind_certificate: true"
    at = await startEmbedded({
      config: `http: { cert: ${files[0]}, key: ${files[1]}, client_ca: ${files[2]}, self_signed_clients: true }\n`,
      clients: [
        `{ id: vouched, auth_method: tls_client_auth, tls_client_auth_subject_dn: CN=machine, ${machine} }`,
        `{ id: alone, auth_method: self_signed_tls_client_auth, jwks: { keys: [ { kty: ${kty}, crv: ${crv}, x: ${x}, y: ${y}, x5c: [ '${x5c}' ] } ] }, ${machine} }`,
      ],
    })
  }, 60_000)
  afterAll(async () => {
    await at?.stop()
    for (const authority of [ours, other]) authority.remove()
  })

  interface Told {
    status: number
    told: Record<string, unknown>
  }

  const post = (path: string, form: Record<string, string>, pair?: Pair, authorization?: string): Promise<Told> =>
    new Promise((resolve, reject) => {
      const headers = {
        'content-type': 'application/x-www-form-urlencoded',
        ...(authorization !== undefined && { authorization }),
      }
      const tls = {
        ca: ours.ca,
        servername: 'localhost',
        agent: false,
        ...(pair && { cert: pair.cert, key: pair.key }),
      }
      const url = at.issuerUrl.replace('http:', 'https:') + path
      const outgoing = request(url, { method: 'POST', headers, ...tls }, (incoming) => {
        const chunks: Buffer[] = []
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
        incoming.on('error', reject)
        incoming.on('end', () => {
          resolve({ status: incoming.statusCode!, told: JSON.parse(Buffer.concat(chunks).toString()) })
        })
      })
      outgoing.on('error', reject)
      outgoing.end(new URLSearchParams(form).toString())
    })

  const token = (clientId: string, pair?: Pair): Promise<Told> =>
    post('/oauth2/token', { grant_type: 'client_credentials', client_id: clientId }, pair)

  test.each([
    ['by a certificate of the authority', 'vouched', vouched],
    ['by the very certificate that it registered', 'alone', alone],
  ])('authenticate %s, and their tokens are bound to it', async (_, clientId, pair) => {
    const { status, told } = await token(clientId, pair)
    expect({ status, type: told.token_type }).toEqual({ status: 200, type: 'Bearer' })
    const caller = basic('reports-api', at.secrets['reports-api'])
    const verdict = await post('/oauth2/introspect', { token: String(told.access_token) }, undefined, caller)
    expect(verdict.told).toMatchObject({ active: true, client_id: clientId, cnf: { 'x5t#S256': thumbprint(pair) } })
  })

  test.each([
    ['without a certificate', 'vouched', undefined],
    ['with one of the same name from another authority', 'vouched', stranger],
    ['with another client’s', 'vouched', alone],
    ['with one that the authority vouches for, where only its own will do', 'alone', vouched],
  ])('are refused %s', async (_, clientId, pair) => {
    expect(await token(clientId, pair)).toMatchObject({ status: 401, told: { error: 'invalid_client' } })
  })
})
