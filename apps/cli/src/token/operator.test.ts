import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { runCommand } from '../testing/command.ts'
import { Stack } from '../testing/stack.ts'

const stack = new Stack('store: { partitions: 3 }\n')
beforeAll(async () => void (await stack.start()))
afterAll(() => stack.stop())

const door = () => ['--grpc', `localhost:${stack.grpcPort}`]
const run = (args: string[], as: 'operator' | 'batch' = 'operator', input = '') =>
  runCommand(args, { env: stack.as(as), input })
const isActive = async (token: string) => {
  const { code } = await runCommand(['token', 'introspect'], { env: stack.as('reports-api'), input: token })
  return code === 0
}

describe('token revoke as an operator', () => {
  test('takes any client’s token back', async () => {
    const token = await stack.issue()
    const { code, stdout } = await run(['token', 'revoke', '--json', ...door()], 'operator', token)
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toEqual({ revision: expect.stringMatching(/^\d:[0-9a-f]+:\d+$/) })
    expect(await isActive(token)).toBe(false)
    const again = await run(['token', 'revoke', ...door()], 'operator', token)
    expect(again).toMatchObject({ code: 0, stdout: 'nothing to revoke: unknown, or over before\n' })
  })

  test('takes every token of a client, waits for every partition, and finds the service by the configuration', async () => {
    const token = await stack.issue()
    const { code, stdout } = await run([
      ...['token', 'revoke', '--client', 'batch', '--wait', '--json'],
      ...['--config', stack.config],
    ])
    expect(code).toBe(0)
    const { revision, enforcement } = JSON.parse(stdout) as { revision: string; enforcement: object }
    expect(revision.split(' ').map((each) => each.split(':')[0])).toEqual(['0', '1', '2'])
    expect(enforcement).toMatchObject({ enforced: true, caches: 1, applied: 1, lapsed: 0, silent: [] })
    expect(await isActive(token)).toBe(false)
    expect(await isActive(await stack.issue())).toBe(true)
  })

  test('says in words what is enforced', async () => {
    const { code, stdout } = await run(['token', 'revoke', '--client', 'batch', '--wait', '--config', stack.config])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^revoked, revision 0:\w+:\d+ 1:\w+:\d+ 2:\w+:\d+\nenforced by all 1 caches/)
  })

  test('lets a disabled client have no new ones', async () => {
    const { code } = await run(['token', 'revoke', '--client', 'batch', '--disable', ...door()])
    expect(code).toBe(0)
    expect((await run(['token', 'new'], 'batch')).code).toBe(4)
  })

  test.each([
    [['--grant', 'nothing'], 0, 'nothing to revoke'],
    [['--session', 'nothing'], 0, 'nothing to revoke'],
    [['--subject', 'nobody'], 1, 'nobody of that id'],
    [['--client', 'nobody', '--disable'], 1, 'no client of that id'],
    [['--grant', 'a', '--session', 'b'], 2, 'give one of --grant and --session'],
    [['--grant', 'a', '--disable'], 2, '--disable goes with'],
    [['--grant', 'a', '--token-file', 'b'], 2, 'not both'],
    [['--subject', 'a b'], 2, 'no id'],
  ])('answers %j with %i', async (options, code, why) => {
    const outcome = await run(['token', 'revoke', ...options, ...door()])
    expect(outcome).toMatchObject({ code })
    expect(outcome.stdout + outcome.stderr).toContain(why)
  })

  test('is refused to whoever is no operator', async () => {
    const { code, stderr } = await run(['token', 'revoke', '--client', 'operator', ...door()], 'batch')
    expect({ code, stderr }).toEqual({ code: 4, stderr: expect.stringContaining('admin: true') })
  })

  test('without an operator’s options takes no certificate', async () => {
    const { code, stderr } = await run(['token', 'revoke', '--ca', 'x'], 'batch', 'x')
    expect({ code, stderr }).toEqual({ code: 2, stderr: 'countersign: --ca goes with --grpc\n' })
  })
})

describe('keys', () => {
  interface Keys {
    keys: {
      kid: string
      alg: string
      state: string
      active_at: string
      retired_at: string | null
      public_jwk: object
    }[]
  }
  const keys = async (...args: string[]) => {
    const { code, stdout } = await run(['keys', ...args, '--json', ...door()])
    expect(code).toBe(0)
    return (JSON.parse(stdout) as Keys).keys
  }

  test('are listed, with what everybody may know', async () => {
    const listed = await keys('list')
    expect(listed.map(({ alg, state }) => `${alg} ${state}`)).toEqual(['EdDSA active', 'ES256 active', 'RS256 active'])
    for (const { public_jwk, kid } of listed) {
      expect(public_jwk).toMatchObject({ kid, use: 'sig' })
      expect(public_jwk).not.toHaveProperty('d')
    }
  })

  test('are rotated: published first, or at once where one was stolen', async () => {
    const rotated = await keys('rotate', '--alg', 'ES256')
    expect(rotated.filter(({ state }) => state === 'published')).toMatchObject([{ alg: 'ES256', retired_at: null }])
    const { stdout } = await run(['keys', 'list', ...door()])
    expect(stdout).toMatch(/^EdDSA {3}active {5}\w+ {2}from .*Z\nES256 {3}active .* until .*Z\nES256 {3}published /)
    const replaced = await keys('rotate', '--compromised')
    expect(replaced.map(({ state }) => state)).toEqual(['active', 'active', 'active'])
    const before = rotated.map(({ kid }) => kid)
    expect(replaced.filter(({ kid }) => before.includes(kid))).toEqual([])
    const response = await fetch(`${stack.issuer}/oauth2/jwks`)
    const published = ((await response.json()) as { keys: { kid: string }[] }).keys.map(({ kid }) => kid)
    expect(published.toSorted()).toEqual(replaced.map(({ kid }) => kid).toSorted())
  })

  test('are not for whoever is no operator, and algorithms that there are not', async () => {
    expect((await run(['keys', 'list', ...door()], 'batch')).code).toBe(4)
    expect((await run(['keys', 'rotate', '--alg', 'HS256', ...door()])).code).toBe(2)
  })
})
