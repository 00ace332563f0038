import { afterAll, describe, expect, test } from '@jest/globals'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findProgram } from '@countersign/servers'
import { readConfig } from '../config/read.ts'
import type { Surroundings } from '../surroundings.ts'
import { certificates } from './certificates.ts'
import { compareClocks } from './clock.ts'
import type { Check } from './finding.ts'
import { proxies } from './proxies.ts'

const folder = mkdtempSync(join(tmpdir(), 'countersign-checks-'))
afterAll(() => rmSync(folder, { recursive: true }))

const dayMs = 86_400_000

async function examine(check: Check, env: Record<string, string>, inDays = 0): Promise<string[]> {
  const loaded = readConfig(undefined, { ...process, env, cwd: folder } as Surroundings)
  const patient = { loaded, now: () => Date.now() + inDays * dayMs, signal: new AbortController().signal }
  return (await check.run(patient)).map(({ level, what }) => `${level} ${what}`)
}

describe('clocks', () => {
  const clock =
    (...times: number[]) =>
    () =>
      times.shift()!
  test.each([
    [0, 'ok'],
    [1_000, 'ok'],
    [1_500, 'warn'],
    [-1_500, 'warn'],
    [3_600_000, 'warn'],
  ])('that differ by %d ms are %s', async (aheadMs, level) => {
    expect((await compareClocks('Redis', clock(50_000, 50_000), async () => 50_000 + aheadMs)).level).toBe(level)
  })

  test('are not blamed for a slow answer', async () => {
    expect((await compareClocks('Redis', clock(50_000, 59_000), async () => 50_100)).level).toBe('ok')
  })

  test('tell by how much, and which is ahead', async () => {
    expect((await compareClocks('Redis', clock(0, 0), async () => 2_500)).what).toBe(
      'Redis is 2.5 s ahead of this machine',
    )
    expect((await compareClocks('Redis', clock(9_000, 9_000), async () => 0)).what).toBe(
      'Redis is 9.0 s behind this machine',
    )
  })
})

describe('trusted proxies', () => {
  test.each([
    ['[0.0.0.0/0]', /^fail .*0\.0\.0\.0\/0 is everybody/],
    ['["::/0"]', /^fail .*::\/0 is everybody/],
    ['[128.0.0.0/1]', /^warn .*very wide/],
    ['[loopback, 10.0.0.0/8, 192.0.2.7]', /^ok .*loopback, 10\.0\.0\.0\/8, 192\.0\.2\.7/],
  ])('%s', async (given, expected) => {
    const [finding] = await examine(proxies, { COUNTERSIGN_TRUSTED_PROXIES: given })
    expect(finding).toMatch(expected)
  })

  test('are missed when something else ends TLS', async () => {
    const [finding] = await examine(proxies, { COUNTERSIGN_ISSUER: 'https://auth.example' })
    expect(finding).toMatch(/^warn .*trusted_proxies is empty/)
  })
})

describe('certificates', () => {
  const make = (name: string) => {
    const curve = [
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '90',
      '-subj',
      `/CN=${name}`,
    ]
    const files = ['-keyout', join(folder, `${name}.key`), '-out', join(folder, `${name}.pem`)]
    execFileSync(findProgram('openssl', 'openssl'), ['req', '-x509', ...curve, ...files], { stdio: 'ignore' })
  }
  make('one')
  make('other')
  writeFileSync(join(folder, 'text.pem'), 'no certificate')
  const pair = (cert: string, key: string) => ({ COUNTERSIGN_GRPC__CERT: cert, COUNTERSIGN_GRPC__KEY: key })

  test.each([
    [0, /^ok grpc\.cert: CN=one is valid until \d{4}-\d\d-\d\d$/],
    [61, /^warn .* ends on/],
    [91, /^fail .* ended on/],
    [-2, /^fail .* is not valid before/],
  ])('of 90 days, after %d days', async (inDays, expected) => {
    expect(await examine(certificates, pair('one.pem', 'one.key'), inDays)).toEqual([expect.stringMatching(expected)])
  })

  test('with the key of another fail', async () => {
    expect(await examine(certificates, pair('one.pem', 'other.key'))).toEqual([
      'fail grpc.cert: its key belongs to another certificate',
    ])
  })

  test('that are none fail', async () => {
    expect(await examine(certificates, pair('text.pem', 'one.key'))).toEqual([
      expect.stringContaining('holds no certificate'),
    ])
  })
})
