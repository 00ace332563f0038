// A service that does what its argument says; shutdown.test.ts starts it and sends it signals.
import { runService, type Running } from '../shutdown.ts'

const behaviour = process.argv[2] ?? ''
const say = (text: string) => void process.stdout.write(`${text}\n`)
const line = (level: string) => (fields: object, message: string) =>
  say(
    `${level} ${message} ${JSON.stringify(fields, (_, value: unknown) => (value instanceof Error ? value.message : value))}`,
  )
const log = { info: line('info'), warn: line('warn'), error: line('error'), fatal: line('fatal') }

const step = (name: string, close: () => Promise<unknown>) => ({
  name,
  withinMs: 200,
  close: () => {
    say(`closing ${name}`)
    return close()
  },
})

async function start(signal: AbortSignal): Promise<Running> {
  if (behaviour === 'cannot start') throw new Error('no store')
  signal.addEventListener('abort', () => say('signal aborted'))
  const alive = setInterval(() => undefined, 1_000)
  const second: Record<string, () => Promise<unknown>> = {
    hangs: () => new Promise(() => undefined),
    fails: () => Promise.reject(new Error('still busy')),
  }
  if (behaviour === 'throws') setTimeout(() => JSON.parse('{'), 50)
  if (behaviour === 'rejects') setTimeout(() => void Promise.reject(new Error('nobody cares')), 50)
  setTimeout(() => say('started'), 0)
  return {
    drain: () => say('draining'),
    drainMs: behaviour === 'drains' ? 60_000 : 0,
    steps: [
      step('http', async () => undefined),
      step('grpc', second[behaviour] ?? (async () => undefined)),
      step('store', async () => clearInterval(alive)),
    ],
    async reload() {
      say('reloading')
      if (behaviour === 'bad config') throw new Error('line 3: no such key')
    },
  }
}

await runService({ name: 'test', log, start })
