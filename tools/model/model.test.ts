import { describe, expect, test } from '@jest/globals'
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const verification = (name: string) => readFileSync(file(`../../docs/verification/${name}`), 'utf8')

function check(names: string[], env = process.env): Promise<{ code: number | null; text: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [file('check.mjs'), ...names], { env })
    let text = ''
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()))
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, text }))
  })
}

describe('the model of the revocation protocol', () => {
  test('keeps the promise with every rule, and breaks it without any one of them', async () => {
    const { code, text } = await check([])
    expect({ code, text }).toEqual({ code: 0, text: expect.stringMatching(/everything as expected\n$/) })
    const switches = [...verification('lease.pml').matchAll(/^#define ([A-Z_]+) 1 \/\*/gm)].map(([, name]) => name)
    const rules = switches.filter((name) => name !== 'BOUND' && name !== 'PROBES')
    expect(rules.length).toBeGreaterThanOrEqual(12)
    for (const rule of rules) {
      expect(text).toMatch(new RegExp(`^without ${rule} .* error after \\d+ steps$`, 'm'))
      expect(verification('README.md')).toContain(`\`${rule}\``)
    }
  }, 600_000)

  test('says what to install where the checker is missing', async () => {
    const nothing = mkdtempSync(join(tmpdir(), 'countersign-model-test-'))
    const { code, text } = await check([], { ...process.env, PATH: nothing })
    rmSync(nothing, { recursive: true })
    expect(code).toBe(77)
    expect(text).toContain('apt-get install spin gcc')
  })
})
