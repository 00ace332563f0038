import { expect, test } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { openBus } from './open.ts'

test('a bus that is neither in-process nor NATS is refused, without repeating what may be secret', async () => {
  for (const url of ['', 'kafka://user:secret@a', 'nats://', 'nats://a,kafka://secret', 'in-process,nats://a']) {
    const refusal = await openBus({ url, name: 'test' }).then(
      () => undefined,
      (error: Error) => error,
    )
    expect(refusal).toMatchObject({ name: 'Failure', code: 'invalid_request' })
    expect(refusal!.message).not.toContain('secret')
  }
})

test('each server of a list takes the scheme of the first unless it has its own', async () => {
  const bus = await openBus({ url: 'nats://127.0.0.1:1,127.0.0.1:2,tls://127.0.0.1:3', name: 'test' })
  expect(bus.state()).toBe('down')
  await bus.close()
})

test('the in-process bus loads nothing of NATS', () => {
  const script = `
    import { createRequire } from 'node:module'
    import { openBus } from ${JSON.stringify(new URL('open.ts', import.meta.url).href)}
    const bus = await openBus({ url: 'in-process', name: 'test' })
    const loaded = Object.keys(createRequire(import.meta.url).cache).filter((path) => path.includes('nats'))
    console.log(bus.state(), loaded.length)`
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
  expect(stdout.trim()).toBe('up 0')
})
