import { afterAll, describe, expect, test } from '@jest/globals'
import { runCommand } from './testing/command.ts'
import { Stack } from './testing/stack.ts'

const stack = new Stack()
afterAll(() => stack.stop())

describe('serve', () => {
  test('runs everything until it is told to stop, and exits 0', async () => {
    await stack.start()
    expect(await stack.issue()).toMatch(/^cs_at_/)
    expect(await stack.end('SIGTERM')).toBe(0)
  })

  test('runs login, which wants a store that others reach', async () => {
    const { code, stdout, stderr } = await runCommand(['serve', 'login'])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain('store.url: sqlite is for the single process')
  })

  test('names the services when there is none of the name given', async () => {
    const { code, stderr } = await runCommand(['serve', 'everything'])
    expect(code).toBe(2)
    expect(stderr).toContain('serve all, login, token-issuer, introspection, audit')
  })

  test.each(['all', 'login', 'token-issuer', 'introspection', 'audit'])(
    'tells mistakes in the configuration of %s without a stack, and exits 2',
    async (service) => {
      const { code, stderr } = await runCommand(['serve', service], { env: { COUNTERSIGN_MAX_STALENES: '1s' } })
      expect(code).toBe(2)
      expect(stderr).toContain('COUNTERSIGN_MAX_STALENES: is not a setting; did you mean COUNTERSIGN_MAX_STALENESS?')
      expect(stderr).not.toContain('    at ')
    },
  )
})
