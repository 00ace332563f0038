import { expect, test } from '@jest/globals'
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { until } from './testing/http.ts'

const main = fileURLToPath(new URL('./testing/service.main.ts', import.meta.url))

function run(behaviour = '') {
  const child = spawn(process.execPath, [main, behaviour], { stdio: ['ignore', 'pipe', 'ignore'] })
  let said = ''
  child.stdout.on('data', (chunk) => (said += String(chunk)))
  const code = new Promise<number | null>((resolve) => child.once('exit', resolve))
  return { child, code, said: () => said, saidSo: (text: string) => until(() => said.includes(text)) }
}

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s drains, closes step by step in order, and exits with 0',
  async (signal) => {
    const { child, code, said, saidSo } = run()
    await saidSo('started')
    child.kill(signal)
    expect(await code).toBe(0)
    const told = said()
      .split('\n')
      .filter((line) => /^(signal|draining|closing)/.test(line))
    expect(told).toEqual(['signal aborted', 'draining', 'closing http', 'closing grpc', 'closing store'])
  },
)

test.each([
  ['hangs', 'took too long'],
  ['fails', 'still busy'],
])('a step that %s does not keep the others from closing, and the exit code is 1', async (behaviour, message) => {
  const { child, code, said, saidSo } = run(behaviour)
  await saidSo('started')
  child.kill('SIGTERM')
  expect(await code).toBe(1)
  expect(said()).toContain(message)
  expect(said()).toContain('closing store')
})

test('a second signal ends it at once', async () => {
  const { child, code, saidSo } = run('drains')
  await saidSo('started')
  child.kill('SIGTERM')
  await saidSo('draining')
  child.kill('SIGTERM')
  expect(await code).toBe(143)
})

test('a service that cannot start says why and exits with 1', async () => {
  const { code, said } = run('cannot start')
  expect(await code).toBe(1)
  expect(said()).toContain('no store')
})

test.each(['throws', 'rejects'])(
  'an error that nobody handles (%s) is logged, and the exit code is 1',
  async (behaviour) => {
    const { code, said } = run(behaviour)
    expect(await code).toBe(1)
    expect(said()).toMatch(/fatal test met an error that nothing handled/)
  },
)

test('SIGHUP reloads, and a configuration that is wrong leaves it running', async () => {
  const { child, code, saidSo } = run('bad config')
  await saidSo('started')
  child.kill('SIGHUP')
  await saidSo('keeps its old configuration')
  child.kill('SIGTERM')
  expect(await code).toBe(0)
})
