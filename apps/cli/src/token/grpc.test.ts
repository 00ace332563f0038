import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { TestAuthority } from '@countersign/rpc/testing/certificates'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runCommand, type Outcome } from '../testing/command.ts'
import { Stack } from '../testing/stack.ts'

const authority = new TestAuthority()
const stack = new Stack(`grpc: { cert: server.pem, key: server.key, client_ca: ca.pem }
`)
const path = (name: string) => join(stack.folder, name)

beforeAll(async () => {
  const [server, caller] = [authority.issue('server'), authority.issue('caller')]
  writeFileSync(path('ca.pem'), authority.ca)
  writeFileSync(path('server.pem'), server.cert)
  writeFileSync(path('server.key'), server.key)
  writeFileSync(path('caller.pem'), caller.cert)
  writeFileSync(path('caller.key'), caller.key)
  await stack.start()
})
afterAll(async () => {
  await stack.stop()
  authority.remove()
})

const introspect = async (env: Record<string, string>, ...options: string[]): Promise<Outcome> => {
  const door = ['--grpc', `localhost:${stack.grpcPort}`, ...options]
  return runCommand(['token', 'introspect', '--json', ...door], { env, input: await stack.issue() })
}

describe('token introspect --grpc over TLS', () => {
  test('trusts the authority that it is given', async () => {
    const { code, stdout } = await introspect(stack.as('reports-api'), '--ca', path('ca.pem'))
    expect({ code, ...JSON.parse(stdout) }).toMatchObject({ code: 0, active: true })
  })

  test('authenticates by certificate, without a secret', async () => {
    const pair = ['--cert', path('caller.pem'), '--key', path('caller.key')]
    const { code, stdout } = await introspect({}, '--ca', path('ca.pem'), ...pair)
    expect({ code, ...JSON.parse(stdout) }).toMatchObject({ code: 0, active: true })
  })

  test('does not talk to a server that another authority signed', async () => {
    const { code, stdout } = await introspect(stack.as('reports-api'), '--ca', path('server.pem'))
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' })
  })

  test('says so when the authority cannot be read', async () => {
    const { code, stderr } = await introspect(stack.as('reports-api'), '--ca', path('none.pem'))
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('--ca: ') })
  })
})
