import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { Visitor } from '@countersign/servers'
import { runCommand } from '../testing/command.ts'
import { Stack, type ClientId } from '../testing/stack.ts'
import { runOnTerminal } from '../testing/terminal.ts'

const stack = new Stack('providers: [ { id: staff, kind: local } ]\nstore: { partitions: 3 }\n')
beforeAll(async () => void (await stack.start()))
afterAll(() => stack.stop())

const door = () => ['--grpc', `localhost:${stack.grpcPort}`]
const run = (args: string[], as: ClientId = 'operator') =>
  runCommand(['account', ...args, ...door()], { env: stack.as(as) })
const json = async (...args: string[]) => {
  const { code, stdout, stderr } = await run([...args, '--json'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return JSON.parse(stdout) as Record<string, unknown>
}
const password = 'correct horse battery staple'

describe('account invite', () => {
  test('prints the link alone, with which its owner chooses a password and is in', async () => {
    const person = ['--name', 'Alice Liddell', '--email', 'alice@x.example', '--role', 'reader', '--role', 'a, b']
    const { code, stdout, stderr } = await run(['invite', 'Alice', ...person])
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('nobody but its owner') })
    expect(stdout).toMatch(/^http:\/\/localhost:\d+\/login\/password\?token=[\w-]+\n$/)
    expect(stderr).not.toContain('token=')
    const visitor = new Visitor(stack.issuer)
    await visitor.go(stdout.trim())
    await visitor.submit({ password, password_again: password })
    expect(visitor.reply.status).toBe(200)
    expect(await json('show', 'alice')).toMatchObject({
      ...{ login_name: 'Alice', name: 'Alice Liddell', email: 'alice@x.example', email_verified: true },
      ...{ has_password: true, has_totp: false, passkeys: 0, identities: [], disabled_at: null },
      ...{ roles: ['a, b', 'reader'] },
    })
  })

  test('is refused a name that somebody has, and mail where none is sent', async () => {
    expect(await run(['invite', 'ALICE'])).toMatchObject({ code: 1, stdout: '' })
    const { code, stderr } = await run(['invite', 'bob', '--email', 'b@x.example', '--send'])
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('mail is not configured') })
    expect(await run(['show', 'bob'])).toMatchObject({ code: 1 })
  })
})

describe('account list and show', () => {
  test('fit into 80 columns, and obey nothing that a terminal would', async () => {
    await json('invite', 'x'.repeat(200), '--name', 'N', '--email', `${'y'.repeat(60)}@x.example`)
    const { stdout } = await run(['list'])
    const lines = stdout.trimEnd().split('\n')
    expect(lines).toHaveLength(2)
    for (const line of lines) expect([...line].length).toBeLessThanOrEqual(80)
    expect(stdout).toMatch(/^Alice {17}[\w-]{22} {12}alice@x\.example$/m)
    expect(stdout).toMatch(/^x{19}… {2}[\w-]{22} {2}invited {3}y{23}…$/m)
    await json('change', 'x'.repeat(200), '--name', 'N\u202eM')
    const shown = await run(['show', 'x'.repeat(200)])
    expect(shown.stdout).toContain('N\\u202eM')
  })

  test('find by a part of it, and stop where they are told to', async () => {
    const found = await json('list', '--search', 'LIDDELL')
    expect(found).toMatchObject({ accounts: [{ login_name: 'Alice' }], has_more: false })
    expect(((await json('list', '--limit', '1')).accounts as unknown[]).length).toBe(1)
    expect(await run(['list', '--limit', '1'])).toMatchObject({ code: 0, stderr: expect.stringContaining('--limit') })
    expect(await run(['list', '--limit', '0'])).toMatchObject({ code: 2 })
    expect(await run(['list', '--search', 'nobody'])).toEqual({ code: 0, stdout: '', stderr: '' })
  })

  test('show by id as by name, in rows', async () => {
    const { id } = await json('show', 'alice')
    const { stdout } = await run(['show', id as string, '--id'])
    expect(stdout).toMatch(/^id {10}[\w-]{22}\nlogin name {2}Alice\nname {8}Alice Liddell\nemail {7}alice@x\.example\n/)
    expect(stdout).toContain('has         a password\nrole        a, b\nrole        reader\n')
    expect(await run(['show', 'alice', '--id'])).toMatchObject({ code: 1, stdout: '' })
  })
})

describe('account change, roles, reset-link and remove-second-factor', () => {
  test('change what is given, and take away what is empty', async () => {
    expect(await json('change', 'alice', '--name', '')).toMatchObject({ name: null, email: 'alice@x.example' })
    expect(await json('change', 'alice', '--email', 'a@x.example')).toMatchObject({ email: 'a@x.example' })
    expect(await run(['change', 'alice'])).toMatchObject({ code: 2 })
    expect(await run(['change', 'alice', '--email', 'nobody'])).toMatchObject({ code: 2 })
  })

  test('roles are set, added and removed', async () => {
    expect(await json('roles', 'alice')).toEqual({ roles: ['a, b', 'reader'] })
    expect(await json('roles', 'alice', '--add', 'writer', '--remove', 'a, b')).toEqual({ roles: ['reader', 'writer'] })
    expect((await run(['roles', 'alice', '--set', 'two, one'])).stdout).toBe('one\ntwo\n')
    expect(await json('show', 'alice')).toMatchObject({ roles: ['one', 'two'] })
    expect(await json('roles', 'alice', '--set', '')).toEqual({ roles: [] })
    expect(await run(['roles', 'alice', '--set', 'a', '--add', 'b'])).toMatchObject({ code: 2 })
    expect(await json('show', 'alice')).toMatchObject({ roles: [] })
  })

  test('a link chooses a new password', async () => {
    const { link, link_expires_at } = await json('reset-link', 'alice')
    expect(Date.parse(link_expires_at as string)).toBeGreaterThan(Date.now() + 3_500_000)
    const visitor = new Visitor(stack.issuer)
    await visitor.go(link as string)
    const chosen = 'another horse battery staple'
    await visitor.submit({ password: chosen, password_again: chosen })
    expect(visitor.reply.status).toBe(200)
    await visitor.go(link as string)
    expect(visitor.reply.status).toBe(404)
  })

  test('there may be no second factor to remove', async () => {
    expect(await json('remove-second-factor', 'alice')).toMatchObject({ has_totp: false, passkeys: 0 })
  })
})

describe('who may', () => {
  test('is no other client, nobody with a wrong secret, and nobody without one', async () => {
    expect(await run(['list'], 'batch')).toMatchObject({ code: 4, stderr: expect.stringContaining('admin: true') })
    const wrong = { ...stack.as('operator'), COUNTERSIGN_CLIENT_SECRET: 'wrong' }
    expect(await runCommand(['account', 'list', ...door()], { env: wrong })).toMatchObject({ code: 4 })
    expect(await runCommand(['account', 'list', ...door()])).toMatchObject({ code: 2 })
  })

  test('gives no secret as an argument, and says which account', async () => {
    expect(await run(['show', 'alice', '--client-secret', 'x'])).toMatchObject({ code: 2 })
    expect(await run(['show'])).toMatchObject({ code: 2 })
    expect(await run(['show', ''])).toMatchObject({ code: 2 })
    expect((await run(['show', '--help'])).stdout).toContain('account show [options] <name>')
  })
})

describe('account disable, enable and delete', () => {
  test('say what has it, or that there was nothing to do', async () => {
    expect((await run(['disable', 'alice'])).stdout).toMatch(/^disabled, revision \d:\w+:\d+\n$/)
    expect((await run(['disable', 'alice'])).stdout).toBe('it was disabled before\n')
    expect(await json('show', 'alice')).toMatchObject({ disabled_at: expect.any(String) })
    expect((await run(['list', '--search', 'a@x'])).stdout).toContain('disabled  a@x.example')
    expect(await run(['reset-link', 'alice'])).toMatchObject({ code: 1 })
    expect((await run(['enable', 'alice'])).stdout).toMatch(/^enabled, revision /)
    expect((await run(['enable', 'alice'])).stdout).toBe('it was not disabled\n')
    expect(await json('show', 'alice')).toMatchObject({ disabled_at: null })
  })

  test('delete nobody unasked', async () => {
    expect(await run(['delete', 'alice'])).toMatchObject({ code: 2, stderr: expect.stringContaining('--yes') })
    const answered = (keys: string) =>
      runOnTerminal(['account', 'delete', 'alice', ...door()], [['Type yes: ', keys]], stack.as('operator'))
    expect((await answered('y\r')).code).toBe(2)
    expect((await answered('\u0004')).code).toBe(2)
    expect(await json('show', 'alice')).toMatchObject({ login_name: 'Alice' })
    const { code, shown } = await answered('yes\r')
    expect({ code, shown }).toEqual({
      code: 0,
      shown: expect.stringMatching(/Delete Alice \([\w-]{22}\) for good\?.*yes.*\r\ndeleted, revision /s),
    })
    expect(await run(['show', 'alice'])).toMatchObject({ code: 1 })
  })

  test('wait until every cache enforces it, and the name is free', async () => {
    const { stdout, code } = await run(['delete', 'x'.repeat(200), '--yes', '--wait'])
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^deleted, revision \d:\w+:\d+\nenforced by all 1 caches/),
    })
    expect(await json('list')).toEqual({ accounts: [], has_more: false })
    await json('invite', 'alice')
    expect(await json('delete', 'alice', '--yes', '--wait')).toMatchObject({ enforcement: { enforced: true } })
  })
})
