import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { Failure } from '@countersign/contracts'
import { IntrospectionService } from '@countersign/contracts/introspection'
import { createRpcServer, rpcService, type RpcServer } from '@countersign/rpc'
import { TestAuthority } from '@countersign/rpc/testing/certificates'
import { createVerifier, type VerifierOptions } from './index.ts'

function kept() {
  const lines: string[] = []
  return { lines, log: { info: () => undefined, warn: (message: string) => void lines.push(message) } }
}

describe('while authentication is off', () => {
  test.each<[string, VerifierOptions]>([
    ['undefined', { target: undefined }],
    ['left out', {}],
  ])('with a target that is %s everybody is let through as anonymous, whatever is required', async (_, options) => {
    const { log } = kept()
    const verifier = createVerifier({ ...options, log })
    const requirements = { scopes: ['admin'], roles: ['admin'], audience: 'https://other.example', minRevision: 'x' }
    for (const token of ['', 'anything', 'cs_at_x']) {
      expect(await verifier.verify(token, requirements)).toEqual({
        ok: true,
        token: expect.objectContaining({
          subject: 'anonymous',
          clientId: '',
          isAnonymous: true,
          scopes: new Set(),
          roles: [],
          attributes: {},
        }),
      })
    }
  })

  test('it is said at the start and at the first request, and every request is counted', async () => {
    const { lines, log } = kept()
    const verifier = createVerifier({ log })
    expect(lines).toEqual([expect.stringMatching(/^AUTHENTICATION IS OFF: no target is configured/)])
    expect(verifier.metrics()).toContain('countersign_verifier_anonymous_total 0\n')
    for (let n = 0; n < 3; n++) await verifier.verify('anything')
    expect(lines.slice(1)).toEqual([expect.stringMatching(/^AUTHENTICATION IS OFF: requests are being let through/)])
    expect(verifier.stats()).toMatchObject({ anonymous: 3, hits: 0, questions: 0 })
    expect(verifier.metrics()).toContain('countersign_verifier_anonymous_total 3\n')
  })

  test('it is said as warnings of the process, unless there is a log for it', () => {
    const program = `import { createVerifier } from ${JSON.stringify(import.meta.resolve('./index.ts'))}; await createVerifier().verify('')`
    const { stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })
    expect(status).toBe(0)
    expect(stderr.match(/CountersignWarning: AUTHENTICATION IS OFF/g)).toHaveLength(2)
  })
})

describe('nothing but a target that is left out turns authentication off:', () => {
  let authority: TestAuthority
  let foreign: TestAuthority
  let server: RpcServer
  let target: string

  const refuse = async () => {
    throw new Failure('invalid_client', 'the credentials are wrong')
  }
  beforeAll(async () => {
    authority = new TestAuthority()
    foreign = new TestAuthority()
    const watch = { converse: () => ({ onRequest: () => undefined, onClose: () => undefined }) }
    const calls = { introspect: refuse, batchIntrospect: refuse, streamIntrospect: refuse, watch }
    server = createRpcServer({
      services: [rpcService(IntrospectionService, calls)],
      log: { warn: () => undefined, error: () => undefined },
      tls: authority.issue('server'),
    })
    target = `localhost:${(await server.listen({ host: '127.0.0.1', port: 0 })).port}`
  })
  afterAll(async () => {
    await server.close(0)
    authority.remove()
    foreign.remove()
  })

  const credentials = { clientId: 'api', clientSecret: 'wrong' }
  test.each<[string, string, () => VerifierOptions]>([
    ['a service that cannot be reached', 'unavailable', () => ({ target: '127.0.0.1:1', credentials })],
    ['a certificate of a foreign authority', 'unavailable', () => ({ target, credentials, tls: { ca: foreign.ca } })],
    ['a service that speaks TLS, asked without', 'unavailable', () => ({ target, credentials })],
    ['credentials that are refused', 'invalid_client', () => ({ target, credentials, tls: { ca: authority.ca } })],
  ])('%s is an error', async (_, code, options) => {
    const verifier = createVerifier({ ...options(), log: kept().log })
    for (const token of ['cs_at_x', 'cs_at_y']) {
      await expect(verifier.verify(token)).rejects.toMatchObject({ code })
    }
    expect(verifier.stats().anonymous).toBe(0)
    verifier.close()
  })
})
