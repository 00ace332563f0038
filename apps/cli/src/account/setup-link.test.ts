import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Visitor } from '@countersign/servers'
import { runCommand } from '../testing/command.ts'
import { Stack } from '../testing/stack.ts'

const stack = new Stack('providers: [ { id: staff, kind: local } ]\n')
const folder = mkdtempSync(join(tmpdir(), 'countersign-account-'))
beforeAll(async () => void (await stack.start()))
afterAll(async () => {
  await stack.stop()
  rmSync(folder, { recursive: true })
})

describe('account setup-link', () => {
  test('prints the link alone, which makes the first account once', async () => {
    const { code, stdout, stderr } = await runCommand(['account', 'setup-link', '--config', stack.config])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^http:\/\/localhost:\d+\/setup\?token=[\w-]{24}\n$/)
    const visitor = new Visitor(stack.issuer)
    await visitor.go(stdout.trim())
    const password = 'correct horse battery staple'
    await visitor.submit({ login_name: 'alice', password, password_again: password })
    expect(visitor.reply.status).toBe(200)
    await visitor.go(stdout.trim())
    expect(visitor.reply.status).toBe(404)
  })

  test('prints the same as JSON', async () => {
    const env = { COUNTERSIGN_CONFIG: stack.config }
    const lone = await runCommand(['account', 'setup-link'], { env })
    const { stdout } = await runCommand(['account', 'setup-link', '--json'], { env })
    expect(JSON.parse(stdout)).toEqual({ setup_link: lone.stdout.trim() })
  })

  test('says that there are no accounts where a file has no local provider, and exits 2', async () => {
    const env = { COUNTERSIGN_CONFIG: stack.config, COUNTERSIGN_PROVIDERS: '[]' }
    const { code, stdout, stderr } = await runCommand(['account', 'setup-link'], { env })
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain('none of kind local')
  })

  test('makes no master key, and says that there is none', async () => {
    const { code, stdout, stderr } = await runCommand(['account', 'setup-link'], { cwd: folder })
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain('master.key does not exist')
    expect(readdirSync(folder)).toEqual([])
  })
})
