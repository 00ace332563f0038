import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '@countersign/servers'
import { runCommand, type Outcome } from '../testing/command.ts'
import { Stack } from '../testing/stack.ts'
import { runOnTerminal } from '../testing/terminal.ts'

const stack = new Stack()
beforeAll(async () => void (await stack.start()))
afterAll(() => stack.stop())

const introspect = (input: string, ...more: string[]): Promise<Outcome> =>
  runCommand(['token', 'introspect', '--json', ...more], { env: stack.as('reports-api'), input })

describe('token new', () => {
  test('prints the token alone, ready for a pipe', async () => {
    const { code, stdout, stderr } = await runCommand(['token', 'new'], { env: stack.as('batch') })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^cs_at_\w{50,}\n$/)
  })

  test('prints the whole answer as JSON, for the scope asked for', async () => {
    const { stdout } = await runCommand(['token', 'new', '--json', '--scope', 'read:reports'], {
      env: stack.as('batch'),
    })
    expect(JSON.parse(stdout)).toEqual({
      access_token: expect.stringMatching(/^cs_at_/),
      token_type: 'Bearer',
      expires_in: 300,
      scope: 'read:reports',
    })
  })

  test('takes the issuer from the configuration, and the secret from a file', async () => {
    const file = join(stack.folder, 'secret')
    writeFileSync(file, `${stack.as('batch').COUNTERSIGN_CLIENT_SECRET}\n`)
    const options = ['--config', stack.config, '--client-id', 'batch', '--client-secret-file', file]
    expect((await runCommand(['token', 'new', ...options])).stdout).toMatch(/^cs_at_/)
  })

  test.each([
    ['a wrong secret', 4, 'invalid_client', {}, { COUNTERSIGN_CLIENT_SECRET: 'hunter2hunter2' }],
    ['a scope that it may not have', 4, 'invalid_scope', { '--scope': 'write:reports' }, {}],
    ['a client that may not', 4, 'unauthorized_client', {}, { COUNTERSIGN_CLIENT_ID: 'reports-api' }],
    ['no secret', 2, 'set COUNTERSIGN_CLIENT_SECRET', {}, { COUNTERSIGN_CLIENT_SECRET: undefined }],
    ['an empty secret', 2, 'is empty', {}, { COUNTERSIGN_CLIENT_SECRET: '' }],
    ['no client', 2, '--client-id', {}, { COUNTERSIGN_CLIENT_ID: undefined }],
    ['no such file', 2, '/none cannot be read (ENOENT)', { '--client-secret-file': '/none' }, {}],
    ['no URL', 2, '--issuer must be a URL', { '--issuer': 'localhost:8080' }, {}],
    ['plaintext to elsewhere', 2, 'without TLS', { '--issuer': 'http://192.0.2.1' }, {}],
  ])('with %s exits %i', async (_name, code, reason, options, env) => {
    const id = reason === 'unauthorized_client' ? 'reports-api' : 'batch'
    const all: Record<string, string | undefined> = { ...stack.as(id), ...env }
    const given = Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))
    const args = ['token', 'new', ...Object.entries(options).flat()]
    const outcome = await runCommand(args, { env: Object.fromEntries(given) })
    expect({ code: outcome.code, stdout: outcome.stdout }).toEqual({ code, stdout: '' })
    expect(outcome.stderr).toContain(reason)
    expect(outcome.stderr).not.toMatch(/hunter2|of-a-test| {4}at /)
  })

  test('exits 3 when nothing listens', async () => {
    const options = ['--issuer', `http://localhost:${await freePort()}`, '--json']
    const { code, stderr } = await runCommand(['token', 'new', ...options], { env: stack.as('batch') })
    expect(code).toBe(3)
    expect(JSON.parse(stderr).error).toMatchObject({ code: 'unavailable' })
  })
})

describe('token introspect', () => {
  test('gives the same answer over HTTP and gRPC', async () => {
    const token = await stack.issue()
    const http = await introspect(token)
    const grpc = await introspect(token, '--grpc', `localhost:${stack.grpcPort}`)
    expect([http.code, grpc.code]).toEqual([0, 0])
    expect(JSON.parse(http.stdout)).toMatchObject({ active: true, client_id: 'batch', aud: 'https://reports.example' })
    expect(JSON.parse(grpc.stdout)).toEqual(JSON.parse(http.stdout))
  })

  test('tells people what the token is good for', async () => {
    const { code, stdout } = await runCommand(['token', 'introspect'], {
      env: stack.as('reports-api'),
      input: await stack.issue(),
    })
    expect(code).toBe(0)
    expect(stdout).toMatch(/^active {4}yes\n(.*\n)*client {4}batch\n(.*\n)*expires {3}\d{4}-.*Z\n$/)
  })

  test.each([[[]], [['--grpc', 'grpc']]])('exits 5 for what is no token: %j', async (door) => {
    const options = door.map((option) => (option === 'grpc' ? `localhost:${stack.grpcPort}` : option))
    const { code, stdout, stderr } = await introspect('cs_at_nonsense', ...options)
    expect({ code, stderr }).toEqual({ code: 5, stderr: '' })
    expect(JSON.parse(stdout)).toEqual({ active: false })
  })

  test('takes the token from a file or the environment, before standard input', async () => {
    const token = await stack.issue()
    const file = join(stack.folder, 'token')
    writeFileSync(file, token)
    const options = ['token', 'introspect', '--json']
    const fromFile = await runCommand([...options, '--token-file', file], { env: stack.as('reports-api') })
    const fromEnvironment = await runCommand(options, { env: { ...stack.as('reports-api'), COUNTERSIGN_TOKEN: token } })
    expect([fromFile.code, fromEnvironment.code]).toEqual([0, 0])
  })

  test.each([
    ['nothing', '', [], 2, 'is empty'],
    ['more than one line', 'a\nb\n', [], 2, 'more than one line'],
    ['a TLS file for HTTP', 'x', ['--ca', 'ca.pem'], 2, '--ca goes with --grpc'],
    ['half a pair', 'x', ['--grpc', 'localhost:1', '--cert', 'c.pem'], 2, '--cert and --key go together'],
    ['no port', 'x', ['--grpc', 'localhost'], 2, 'host:port'],
  ])('refuses %s', async (_name, input, options, code, reason) => {
    const outcome = await introspect(input, ...options)
    expect({ code: outcome.code, stdout: outcome.stdout }).toEqual({ code, stdout: '' })
    expect(outcome.stderr).toContain(reason)
  })

  test('exits 3 when gRPC cannot be reached, and 4 when it refuses the client', async () => {
    const away = await introspect('x', '--grpc', `localhost:${await freePort()}`)
    expect(away.code).toBe(3)
    const env = { ...stack.as('reports-api'), COUNTERSIGN_CLIENT_SECRET: 'wrong' }
    const options = ['token', 'introspect', '--grpc', `localhost:${stack.grpcPort}`]
    expect((await runCommand(options, { env, input: 'x' })).code).toBe(4)
  })
})

describe('token revoke', () => {
  test('prints the revision that has it, and the token is good no more', async () => {
    const token = await stack.issue()
    const revoke = () => runCommand(['token', 'revoke', '--json'], { env: stack.as('batch'), input: token })
    const { code, stdout } = await revoke()
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toEqual({ revision: expect.stringMatching(/^\d+:[0-9a-f]+:\d+$/) })
    expect((await introspect(token)).code).toBe(5)
    expect(JSON.parse((await revoke()).stdout)).toEqual({ revision: null })
  })

  test('waits until every cache enforces it, and says how many there are', async () => {
    const token = (await runCommand(['token', 'new'], { env: stack.as('batch') })).stdout
    expect((await introspect(token)).code).toBe(0)
    const revoke = ['token', 'revoke', '--wait', '--json']
    const { code, stdout } = await runCommand(revoke, { env: stack.as('batch'), input: token })
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      revision: expect.stringMatching(/^0:[0-9a-f]+:\d+$/),
      enforcement: { enforced: true, caches: 1, applied: 1, silent: [] },
    })
    expect((await introspect(token)).code).toBe(5)
  })

  test('says so when there is nothing to revoke', async () => {
    const { code, stdout } = await runCommand(['token', 'revoke'], { env: stack.as('batch'), input: 'cs_at_nonsense' })
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'nothing to revoke: unknown, expired, or of another client\n' })
  })
})

describe('on a terminal', () => {
  const secret = () => stack.as('batch').COUNTERSIGN_CLIENT_SECRET!
  const issuer = () => ['--issuer', stack.issuer, '--client-id', 'batch']

  test('asks for the client secret and does not show it', async () => {
    const { code, shown } = await runOnTerminal(['token', 'new', ...issuer()], [['Client secret: ', `${secret()}\r`]])
    expect(code).toBe(0)
    expect(shown).toMatch(/^Client secret: \r\ncs_at_\w+\r\ngood for 300 s, scope: read:reports\r\n$/)
  })

  test('asks for token and secret in turn, and shows neither', async () => {
    const token = await stack.issue()
    const answers = [
      ['Token: ', `${token}\r`],
      ['Client secret: ', `${secret()}\r`],
    ] as const
    const { code, shown } = await runOnTerminal(['token', 'revoke', ...issuer()], answers)
    expect(code).toBe(0)
    expect(shown).toMatch(/^Token: \r\nClient secret: \r\nrevoked, revision \d+:\w+:\d+\r\n$/)
  })

  test.each([
    ['Ctrl-C', '\u0003'],
    ['Ctrl-D', '\u0004'],
    ['nothing', '\r'],
  ])('stops at %s, with nothing done', async (_name, keys) => {
    const { code, shown } = await runOnTerminal(['token', 'new', ...issuer()], [['Client secret: ', keys]])
    expect(code).toBe(2)
    expect(shown).toMatch(/nothing was entered|is empty/)
  })

  test('hashes a secret that was entered twice alike, and only then', async () => {
    const alike = [
      ['Secret: ', 'correct horse\r'],
      ['Again: ', 'correct horse\r'],
    ] as const
    const hashed = await runOnTerminal(['config', 'hash-secret'], alike)
    expect(hashed.code).toBe(0)
    expect(hashed.shown).toMatch(/^Secret: \r\nAgain: \r\nscrypt\$\S+\r\n$/)
    const different = [
      ['Secret: ', 'correct horse\r'],
      ['Again: ', 'correct house\r'],
    ] as const
    const refused = await runOnTerminal(['config', 'hash-secret'], different)
    expect(refused.code).toBe(2)
    expect(refused.shown).not.toMatch(/scrypt|correct/)
  })

  test('shows colours, unless NO_COLOR is set', async () => {
    const env = { ...stack.as('reports-api'), COUNTERSIGN_TOKEN: 'cs_at_nonsense' }
    expect((await runOnTerminal(['token', 'introspect'], [], env)).shown).toBe('\u001b[31mnot active\u001b[39m\r\n')
    expect((await runOnTerminal(['token', 'introspect'], [], { ...env, NO_COLOR: '1' })).shown).toBe('not active\r\n')
  })
})
