import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { runCommand } from '../testing/command.ts'
import { Stack } from '../testing/stack.ts'

const exchange = 'urn:ietf:params:oauth:grant-type:token-exchange'
const acting = { id: 'acting', secret: 'acting-secret-of-a-test' }
const stack = new Stack(
  `  - { id: ${acting.id}, secret: ${acting.secret}, grants: [client_credentials, '${exchange}'], scopes: ["read:reports"], audience: [reports] }\n`,
)
beforeAll(async () => void (await stack.start()))
afterAll(() => stack.stop())

const accessToken = 'urn:ietf:params:oauth:token-type:access_token'

async function issue(form: Record<string, string>): Promise<string> {
  const url = `${stack.issuer}/oauth2/token`
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  const proof = await new SignJWT({ htm: 'POST', htu: url, jti: crypto.randomUUID() })
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: await exportJWK(publicKey) })
    .setIssuedAt()
    .sign(privateKey)
  const authorization = `Basic ${Buffer.from(`${acting.id}:${acting.secret}`).toString('base64')}`
  const headers = { authorization, ...(form.grant_type === exchange && { dpop: proof }) }
  const response = await fetch(url, { method: 'POST', headers, body: new URLSearchParams(form) })
  const answer = (await response.json()) as { access_token?: string }
  expect(answer).toMatchObject({ access_token: expect.any(String) })
  return answer.access_token!
}

test('token introspect shows the same over HTTP and gRPC of a token that is bound, and that somebody acts with', async () => {
  const own = () => issue({ grant_type: 'client_credentials' })
  const [subject, actor] = [await own(), await own()]
  const token = await issue({
    grant_type: exchange,
    subject_token: subject,
    subject_token_type: accessToken,
    actor_token: actor,
    actor_token_type: accessToken,
  })
  const introspect = async (...door: string[]) => {
    const options = ['token', 'introspect', '--json', ...door]
    const { stdout } = await runCommand(options, { env: stack.as('reports-api'), input: token })
    return JSON.parse(stdout) as Record<string, unknown>
  }
  const overHttp = await introspect()
  expect(overHttp).toMatchObject({
    active: true,
    token_type: 'DPoP',
    cnf: { jkt: expect.stringMatching(/^[\w-]{43}$/) },
    act: { sub: acting.id },
  })
  expect(await introspect('--grpc', `localhost:${stack.grpcPort}`)).toEqual(overHttp)
})
