import { afterAll, describe, expect, test } from '@jest/globals'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Secrets } from '@countersign/tokens'
import { runCommand } from '../testing/command.ts'

const folder = mkdtempSync(join(tmpdir(), 'countersign-cli-'))
afterAll(() => rmSync(folder, { recursive: true }))

const write = (name: string, text: string): string => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

const good = write(
  'good.yaml',
  `version: 1
store: { url: "redis://user:hunter2@localhost:6379" }
lifetimes: { access_token: 90s }
clients:
  - { id: batch, secret: hunter2hunter2, grants: [client_credentials], scopes: [odd] }
`,
)
const bad = write(
  'bad.yaml',
  `version: 1
max_staleness: 1
clients:
  - { id: batch, audience: [reports] }
`,
)

const { publicKey } = generateKeyPairSync('ed25519')
const jwk = { ...publicKey.export({ format: 'jwk' }), keyUse: 'sig' }
const complete = write(
  'complete.yaml',
  `version: 1
services: { token_issuer: { target: '127.0.0.1:50052' } }
authorization: { request_objects: signed, dpop_nonces: true }
keys: { rotate_every: 30d }
throttle: { failed_sign_ins_per_minute: 3 }
registration: { enabled: true, initial_access_tokens: [hunter2hunter2hunter2hunter2hunter2hunter2] }
providers:
  - { id: staff, kind: local }
  - { id: upstream, kind: oidc, issuer: https://up.example, client_id: us, token_exchange: { audience: [us], authorized_parties: [one, two] } }
resources:
  - { id: reports, audience: https://reports.example, scopes: { readReportsMs: Read reports } }
clients:
  - id: keyed
    auth_method: private_key_jwt
    jwks: ${JSON.stringify({ keys: [jwk] })}
    grants: [authorization_code]
    redirect_uris: [https://app.example/callback]
    post_logout_redirect_uris: [https://app.example/]
    backchannel_logout_uri: https://app.example/logout
    require_pushed_requests: true
    access_token_lifetime: 2m
    id_token_alg: EdDSA
    subject_type: pairwise
  - { id: batch, secret: hunter2hunter2, grants: [client_credentials] }
`,
)

interface Node {
  properties?: Record<string, Node>
  additionalProperties?: Node | false
  items?: Node
  anyOf?: Node[]
  oneOf?: Node[]
}

/** The forms of all keys that a schema knows, as they are printed. */
function keysOf(node: Node, path = ''): RegExp[] {
  const dot = path === '' ? '' : `${path}\\.`
  return [
    new RegExp(`^${path}(\\[\\])?$`),
    ...Object.entries(node.properties ?? {}).flatMap(([name, child]) => keysOf(child, dot + name)),
    ...(node.additionalProperties ? keysOf(node.additionalProperties, `${dot}[^.]+`) : []),
    ...(node.items ? keysOf(node.items, `${path}\\[\\]`) : []),
    ...[...(node.anyOf ?? []), ...(node.oneOf ?? [])].flatMap((child) => keysOf(child, path)),
  ]
}

describe('config check', () => {
  test('prints what is in effect, its oddities, and no secret', async () => {
    const { code, stdout, stderr } = await runCommand(['config', 'check', '--config', good])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^lifetimes\.access_token +90s$/m)
    expect(stdout).toMatch(/^clients\[0\]\.secret +\[secret\]$/m)
    expect(stdout).toMatch(/^listen\.grpc +127\.0\.0\.1:50051$/m)
    expect(stderr).toContain('warning: clients[0].scopes[0]: no resource has the scope "odd"')
    expect(stdout + stderr).not.toContain('hunter2')
  })

  test('calls everything as the file does, so that it could stand there', async () => {
    const { code, stdout } = await runCommand(['config', 'check', '--json', '--config', complete])
    const { settings } = JSON.parse(stdout) as { settings: Record<string, unknown> }
    const { stdout: printed } = await runCommand(['config', 'schema'])
    const known = keysOf(JSON.parse(printed))
    const keys = Object.keys(settings).map((key) => key.replaceAll(/\[\d+\]/g, '[]'))
    expect({ code, unknown: keys.filter((key) => !known.some((form) => form.test(key))) }).toEqual({
      code: 0,
      unknown: [],
    })
    expect(settings).toMatchObject({
      'clients[0].auth_method': 'private_key_jwt',
      'clients[0].id_token_alg': 'EdDSA',
      'clients[0].subject_type': 'pairwise',
      'clients[0].sector_identifier': 'app.example',
      'clients[0].jwks.keys[0].keyUse': 'sig',
      'clients[0].access_token_lifetime': '2m',
      'clients[0].require_pushed_requests': true,
      'clients[1].subject_type': 'public',
      'resources[0].scopes.readReportsMs': 'Read reports',
      'authorization.dpop_nonces': true,
      'keys.rotate_every': '30d',
      'registration.initial_access_tokens[0]': '[secret]',
      'providers[1].token_exchange.authorized_parties': 'one two',
      'services.token_issuer.target': '127.0.0.1:50052',
      'throttle.failed_sign_ins_per_minute': 3,
    })
  })

  test('prints the same as one JSON document', async () => {
    const { code, stdout } = await runCommand(['config', 'check', '--json'], { env: { COUNTERSIGN_CONFIG: good } })
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toEqual({
      ok: true,
      file: good,
      settings: expect.objectContaining({
        'lifetimes.access_token': '90s',
        max_staleness: '1s',
        'clients[0].id': 'batch',
      }),
      warnings: [expect.stringContaining('odd')],
      problems: [],
    })
    expect(stdout).not.toContain('hunter2')
  })

  test('tells every mistake at once with its place, and exits 2', async () => {
    const { code, stdout, stderr } = await runCommand(['config', 'check', '-c', bad])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain('bad.yaml:2:16: max_staleness: ')
    expect(stderr).toContain('bad.yaml:4:5: clients[0]: needs secret')
    expect(stderr).toContain('bad.yaml:4:29: clients[0].audience[0]: expected the id of a resource')
  })

  test('tells mistakes as JSON too', async () => {
    const { code, stdout } = await runCommand(['config', 'check', '--json', '-c', bad])
    expect(code).toBe(2)
    const { ok, problems } = JSON.parse(stdout)
    expect(ok).toBe(false)
    expect(problems).toHaveLength(3)
    expect(problems[0]).toEqual({
      where: expect.stringContaining('bad.yaml:2:16'),
      key: 'max_staleness',
      message: expect.any(String),
    })
  })

  test('does not take the variables of this command for keys', async () => {
    const env = { COUNTERSIGN_TOKEN: 'x', COUNTERSIGN_CLIENT_ID: 'batch', COUNTERSIGN_CLIENT_SECRET: 'y' }
    expect(await runCommand(['config', 'check', '-c', good], { env })).toMatchObject({ code: 0 })
  })

  test('says so when the file is not there', async () => {
    const { code, stderr } = await runCommand(['config', 'check', '-c', 'none.yaml'], { cwd: folder })
    expect({ code, stderr }).toEqual({ code: 2, stderr: 'none.yaml: does not exist\n' })
  })
})

test('config schema prints a JSON Schema', async () => {
  const { code, stdout } = await runCommand(['config', 'schema'])
  expect(code).toBe(0)
  const schema = JSON.parse(stdout)
  expect(schema.$schema).toBe('https://json-schema.org/draft/2020-12/schema')
  expect(Object.keys(schema.properties)).toEqual(expect.arrayContaining(['issuer', 'store', 'clients']))
})

const accepts = async (hash: string, secret: string): Promise<boolean> => {
  const secrets = new Secrets()
  return secrets.verify(secret, [secrets.hold(hash)])
}

describe('config hash-secret', () => {
  test('prints what accepts the secret from standard input, and nothing else', async () => {
    const { code, stdout, stderr } = await runCommand(['config', 'hash-secret'], { input: 'correct horse\n' })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^scrypt\$[^\n]+\n$/)
    expect(await accepts(stdout.trim(), 'correct horse')).toBe(true)
    expect(await accepts(stdout.trim(), 'correct horse\n')).toBe(false)
  })

  test.each([
    ['nothing', '', 'is empty'],
    ['blank', '  \n', 'is empty'],
    ['two lines', 'a\nb\n', 'is more than one line'],
    ['too long a secret', 'x'.repeat(513), '512 characters at most'],
    ['a flood', 'x'.repeat(100_000), 'holds more than 65536 bytes'],
  ])('refuses %s', async (_name, input, reason) => {
    const { code, stdout, stderr } = await runCommand(['config', 'hash-secret'], { input })
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(reason)
  })
})

test('config new-secret makes a secret of 256 bits and the hash that accepts it', async () => {
  const { code, stdout } = await runCommand(['config', 'new-secret', '--json'])
  expect(code).toBe(0)
  const { secret, hash } = JSON.parse(stdout)
  expect(Buffer.from(secret, 'base64url')).toHaveLength(32)
  expect(await accepts(hash, secret)).toBe(true)
})
