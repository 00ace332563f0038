import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { IntrospectionService } from '@countersign/contracts/introspection'
import { createRpcClient, type ClientTls } from './client.ts'
import { question, serve, until, verdict, type Served } from './testing/service.ts'
import { TestAuthority, type Pair } from './testing/certificates.ts'

describe('TLS', () => {
  let ours: TestAuthority
  let theirs: TestAuthority
  let serverPair: Pair
  let served: Served

  beforeAll(async () => {
    ours = new TestAuthority()
    theirs = new TestAuthority()
    serverPair = ours.issue('server')
    served = await serve(
      { introspect: async (_, { peerCertificate }) => verdict(peerCertificate?.subject.CN?.toString() ?? 'nobody') },
      { tls: { ...serverPair, clientCa: ours.ca } },
    )
  })
  afterAll(async () => {
    await served.server.close(0)
    ours.remove()
    theirs.remove()
  })

  const whoAmI = async (tls: ClientTls | undefined): Promise<string> => {
    const client = createRpcClient(IntrospectionService, {
      target: `localhost:${served.port}`,
      tls,
      deadlineMs: 5_000,
      idempotent: [],
    })
    const first = await client.calls.introspect(question()).finally(() => client.close())
    return first.sub
  }

  test('proves a client by the certificate that our authority gave it', async () => {
    expect(await whoAmI({ ca: ours.ca, ...ours.issue('reports-api') })).toBe('reports-api')
    expect(await whoAmI({ ca: ours.ca, ...ours.issue('gateway') })).toBe('gateway')
  })

  test('lets a client without a certificate in as nobody, and takes a foreign one for none', async () => {
    expect(await whoAmI({ ca: ours.ca })).toBe('nobody')
    expect(await whoAmI({ ca: ours.ca, ...theirs.issue('reports-api') })).toBe('nobody')
  })

  test('a client refuses a server that its authority did not sign, and plaintext does not get through', async () => {
    await expect(whoAmI({ ca: theirs.ca })).rejects.toMatchObject({ code: 'unavailable' })
    await expect(whoAmI(undefined)).rejects.toMatchObject({ code: 'unavailable' })
  })

  test('takes a new certificate without a restart', async () => {
    const authority = new TestAuthority()
    served.server.replaceTls({ ...authority.issue('server'), clientCa: ours.ca })
    await expect(whoAmI({ ca: ours.ca })).rejects.toMatchObject({ code: 'unavailable' })
    expect(await whoAmI({ ca: authority.ca, ...ours.issue('gateway') })).toBe('gateway')
    served.server.replaceTls({ ...serverPair, clientCa: ours.ca })
    authority.remove()
    await until(() => served.server.openCalls() === 0)
  })
})
