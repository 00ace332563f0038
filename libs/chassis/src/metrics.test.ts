import { expect, test } from '@jest/globals'
import { createMetrics } from './metrics.ts'
import { rpcServerObserver } from './rpc-metrics.ts'

test('what is measured is read when it is scraped, with the service’s name and the process’s own metrics', async () => {
  const metrics = createMetrics({ name: 'token-issuer' })
  let events = 1
  metrics.gauge('countersign_outbox_events', 'Waiting.', () => events)
  metrics.counter('countersign_things_total', 'Things.', () => 7, { kind: 'a' })
  metrics.counter('countersign_things_total', 'Things.', () => 8, { kind: 'b' })
  events = 5
  const text = await metrics.text()
  expect(text).toContain('# TYPE countersign_outbox_events gauge')
  expect(text).toContain('countersign_outbox_events{service="token-issuer"} 5')
  expect(text).toMatch(
    /countersign_things_total\{(service="token-issuer",kind="a"|kind="a",service="token-issuer")\} 7/,
  )
  expect(text).toContain('kind="b"')
  expect(text).toContain('nodejs_eventloop_lag_seconds')
  expect(metrics.contentType).toMatch(/^text\/plain/)
})

test('durations are cumulative buckets, a sum and a count', async () => {
  const metrics = createMetrics({ name: 'x' })
  const series = metrics.histogram('countersign_wait_seconds', 'Waiting.').series({ kind: 'a' })
  for (const seconds of [0.0001, 0.003, 0.003, 100]) series.observe(seconds)
  expect(metrics.histogram('countersign_wait_seconds', 'Waiting.').series({ kind: 'a' })).toBe(series)
  const lines = (await metrics.text()).split('\n').filter((line) => line.startsWith('countersign_wait_seconds'))
  const value = (part: string) =>
    Number(
      lines
        .find((line) => line.includes(part))
        ?.split(' ')
        .at(-1),
    )
  expect(value('le="0.0005"')).toBe(1)
  expect(value('le="0.005"')).toBe(3)
  expect(value('le="10"')).toBe(3)
  expect(value('le="+Inf"')).toBe(4)
  expect(value('_count')).toBe(4)
  expect(value('_sum')).toBeCloseTo(100.0061)
})

test('gRPC calls are measured by method and outcome', async () => {
  const metrics = createMetrics({ name: 'x' })
  const observe = rpcServerObserver(metrics)
  observe('/a.B/C', 'ok', 4)
  observe('/a.B/C', 'unavailable', 4)
  const text = await metrics.text()
  for (const outcome of ['ok', 'unavailable']) {
    expect(text).toMatch(new RegExp(`duration_seconds_count\\{method="/a.B/C",outcome="${outcome}",service="x"\\} 1`))
  }
})
