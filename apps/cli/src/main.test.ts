import { describe, expect, test } from '@jest/globals'
import { runCommand } from './testing/command.ts'

const commands = [
  ['serve'],
  ['config', 'check'],
  ['config', 'schema'],
  ['config', 'hash-secret'],
  ['config', 'new-secret'],
  ['account', 'setup-link'],
  ['token', 'new'],
  ['token', 'introspect'],
  ['token', 'revoke'],
  ['keys', 'list'],
  ['keys', 'rotate'],
  ['audit', 'tail'],
  ['doctor'],
]

describe('the command line', () => {
  test('tells every command and every exit code', async () => {
    const { code, stdout, stderr } = await runCommand(['--help'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    for (const name of ['serve', 'config', 'account', 'token', 'keys', 'audit', 'doctor'])
      expect(stdout).toContain(`  ${name} `)
    expect(stdout).toMatch(/0 done, 1 failed, 2 mistake.*3 unavailable,\s+4 refused, 5 token not active/)
  })

  test('has help and JSON for every command, and no option that takes a secret', async () => {
    const helps = await Promise.all(commands.map((command) => runCommand([...command, '--help'])))
    for (const [n, { code, stdout }] of helps.entries()) {
      expect({ code, command: commands[n] }).toEqual({ code: 0, command: commands[n] })
      expect(stdout).toContain('--json')
      expect(stdout).not.toMatch(/--(token|secret|client-secret|password) </)
    }
  })

  test('without a command shows the help where errors go, and exits 2', async () => {
    const { code, stdout, stderr } = await runCommand([])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain('Usage: countersign')
  })

  test('exits 2 at a mistake, and says what was meant', async () => {
    const { code, stdout, stderr } = await runCommand(['doctor', '--jsn'])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toBe("countersign: unknown option '--jsn'\n(Did you mean --json?)\n")
  })

  test('tells errors as JSON when JSON was asked for', async () => {
    const { code, stdout, stderr } = await runCommand(['token', 'introspect', '--json'], { input: 'x' })
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(JSON.parse(stderr)).toEqual({
      error: { code: 'invalid_request', message: expect.stringContaining('--client-id') },
    })
  })
})

describe('secrets in arguments', () => {
  const secret = 'hunter2hunter2'
  test.each([
    [['token', 'revoke', secret]],
    [['token', 'introspect', `--token=${secret}`]],
    [['token', 'new', '--client-secret', secret]],
    [['token', 'new', `--client-secrte=${secret}`]],
    [['keys', 'rotate', secret]],
    [['token', 'revoke', '--grant', 'g', secret]],
    [['config', 'hash-secret', secret]],
    [['config', 'hash-secret', '--secret', secret]],
    [['audit', 'tail', '--password', secret]],
    [['token', 'cs_at_hunter2hunter2']],
  ])('are refused and not repeated: %j', async (args) => {
    const { code, stdout, stderr } = await runCommand(args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).not.toContain('hunter2')
    expect(stderr).toContain('countersign: ')
  })

  test('are refused with the way they should come', async () => {
    const { stderr } = await runCommand(['token', 'revoke', secret])
    expect(stderr).toContain('from standard input, a file or the environment')
  })
})
