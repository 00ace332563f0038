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

  test('says that login is not in this version', async () => {
    expect(await runCommand(['serve', 'login'])).toEqual({
      code: 2,
      stdout: '',
      stderr: 'countersign: login: not in this version; there is nothing to serve yet\n',
    })
  })

  test('names the services when there is none of the name given', async () => {
    const { code, stderr } = await runCommand(['serve', 'everything'])
    expect(code).toBe(2)
    expect(stderr).toContain('serve all, token-issuer, introspection, audit')
  })

  test.each(['all', 'token-issuer', 'introspection', 'audit'])(
    'tells mistakes in the configuration of %s without a stack, and exits 2',
    async (service) => {
      const { code, stderr } = await runCommand(['serve', service], { env: { COUNTERSIGN_MAX_STALENES: '1s' } })
      expect(code).toBe(2)
      expect(stderr).toContain('COUNTERSIGN_MAX_STALENES: is not a setting; did you mean COUNTERSIGN_MAX_STALENESS?')
      expect(stderr).not.toContain('    at ')
    },
  )
})
