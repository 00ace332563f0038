import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { IntrospectionService } from '@countersign/contracts/introspection'
import { createRpcClient, type ClientTls } from '@countersign/rpc'
import { TestAuthority } from '@countersign/rpc/testing/certificates'
import { MainJob, startEmbedded, temporaryFolder, type Embedded } from '@countersign/servers'

describe('introspection over mutual TLS', () => {
  const [ours, other] = [new TestAuthority(), new TestAuthority()]
  const folder = temporaryFolder('certificates')
  let embedded: Embedded
  let token: string

  beforeAll(async () => {
    const { cert, key } = ours.issue('introspection')
    const files = { 'server.pem': cert, 'server.key': key, 'ca.pem': ours.ca }
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text, { mode: 0o600 })
    embedded = await startEmbedded({
      config: `grpc: { cert: ${folder}/server.pem, key: ${folder}/server.key, client_ca: ${folder}/ca.pem }`,
      clients: ['{ id: mesh, tls_client_auth_subject_dn: CN=mesh, introspect: [reports] }'],
    })
    token = await new MainJob(embedded).token()
  })
  afterAll(async () => {
    await embedded?.stop()
    for (const authority of [ours, other]) authority.remove()
  })

  async function introspect(tls: ClientTls, client?: { id: string; secret: string }) {
    const { calls, close } = createRpcClient(IntrospectionService, {
      target: embedded.grpcTarget,
      tls,
      ...(client && { client }),
      deadlineMs: 5_000,
      idempotent: [],
    })
    return calls.introspect({ token, tokenTypeHint: '', minRevision: '', staleness: undefined }).finally(close)
  }

  test('a client is known by its certificate', async () => {
    expect(await introspect({ ca: ours.ca, ...ours.issue('mesh') })).toMatchObject({ active: true, clientId: 'batch' })
  })

  test('a certificate of another name, of another authority, or none, is nobody', async () => {
    const refused = { code: 'invalid_client' }
    await expect(introspect({ ca: ours.ca, ...ours.issue('stranger') })).rejects.toMatchObject(refused)
    await expect(introspect({ ca: ours.ca, ...other.issue('mesh') })).rejects.toMatchObject(refused)
    await expect(introspect({ ca: ours.ca })).rejects.toMatchObject(refused)
  })

  test('client credentials do as well', async () => {
    const client = { id: 'reports-api', secret: embedded.secrets['reports-api'] }
    expect(await introspect({ ca: ours.ca }, client)).toMatchObject({ active: true })
  })

  test('a server of another authority is not believed', async () => {
    await expect(introspect({ ca: other.ca, ...ours.issue('mesh') })).rejects.toMatchObject({ code: 'unavailable' })
  })
})
