import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { runCommand, startCommand, type Outcome } from '../testing/command.ts'
import { Stack } from '../testing/stack.ts'
import type { AuditEvent } from './source.ts'

const stack = new Stack()
/** Every token's event, in the order of the journal. */
let issued: number[] = []

const tail = (...options: string[]): Promise<Outcome> =>
  runCommand(['audit', 'tail', ...options], { env: stack.as('operator') })
const eventsOf = (text: string): AuditEvent[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
const indexesOf = (text: string): number[] => eventsOf(text).map(({ index }) => index)

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(50)
}

const journaled = async (count: number): Promise<boolean> => {
  const { stdout } = await tail('--json', '--type', 'token.issued', '--limit', '10000')
  issued = indexesOf(stdout)
  return issued.length >= count
}

beforeAll(async () => {
  await stack.start()
  for (let n = 0; n < 30; n++) await stack.issue()
  await until(() => journaled(30))
})
afterAll(() => stack.stop())

describe('audit tail', () => {
  test('shows the latest 20 events, oldest first, one a line', async () => {
    const { code, stdout, stderr } = await tail()
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const lines = stdout.trimEnd().split('\n')
    expect(lines.map((line) => Number.parseInt(line, 10))).toEqual(issued.slice(-20))
    expect(lines[0]).toMatch(
      /^ +\d+ {2}\d{4}-\S+Z {2}token\.issued +\S.* client=batch by=client:batch from=127\.0\.0\.1 scope=read:reports token=\S{22} reason=client_credentials$/,
    )
  })

  test('shows events as NDJSON, as the service gives them', async () => {
    const [event] = eventsOf((await tail('--json', '--limit', '1')).stdout)
    expect(event).toMatchObject({ index: issued.at(-1), type: 'token.issued', client_id: 'batch', outcome: 'success' })
  })

  test('shows what came since an index, and no more than asked for', async () => {
    expect(indexesOf((await tail('--json', '--since-index', String(issued[20]))).stdout)).toEqual(issued.slice(21))
    expect(indexesOf((await tail('--json', '--since-index', '0', '--limit', '3')).stdout)).toEqual([1, 2, 3])
    expect((await tail('--json', '--since-index', String(issued.at(-1)))).stdout).toBe('')
  })

  test('shows only what the filters let through', async () => {
    expect(indexesOf((await tail('--json', '--since-index', '0', '--type', 'token.*')).stdout)).toEqual(issued)
    expect(eventsOf((await tail('--json', '--type', 'client.created', '--client', 'operator')).stdout)).toHaveLength(1)
    expect((await tail('--json', '--subject', 'nobody')).stdout).toBe('')
    expect((await tail('--json', '--since-index', '0', '--subject', 'nobody')).stdout).toBe('')
  })

  test.each([
    ['a client that may not read it', 4, ['--client-id', 'reports-api'], 'access_denied'],
    ['no number', 2, ['--since-index', 'x'], '--since-index takes a whole number'],
    ['a limit of what never ends', 2, ['-f', '--since-index', '0', '--limit', '1'], 'there is no --limit'],
    ['a type that is none', 2, ['--type', 'TOKEN'], 'type is like token.issued'],
    ['an index beyond the journal', 2, ['-f', '--since-index', '99999'], 'beyond the journal'],
  ])('exits for %s with %i', async (_name, code, options, reason) => {
    const env = options.includes('reports-api') ? stack.as('reports-api') : stack.as('operator')
    const { code: exit, stdout, stderr } = await runCommand(['audit', 'tail', ...options], { env })
    expect({ exit, stdout }).toEqual({ exit: code, stdout: '' })
    expect(stderr).toContain(reason)
  })

  test('ends without a word when its reader has seen enough', async () => {
    const child = startCommand(['audit', 'tail', '--follow'], { env: stack.as('operator') })
    await once(child.stdout!, 'data')
    child.stdout!.destroy()
    const ended = once(child, 'exit')
    await stack.issue()
    expect(await ended).toEqual([0, null])
  })
})

/** Passes connections on, and cuts them when told to. */
class Line {
  readonly #sockets = new Set<Socket>()
  readonly #server: Server = createServer((near) => {
    const far = connect(stack.httpPort, '127.0.0.1')
    for (const socket of [near, far]) {
      this.#sockets.add(socket)
      socket
        .on('error', () => undefined)
        .once('close', () => (near.destroy(), far.destroy(), this.#sockets.delete(socket)))
    }
    near.pipe(far).pipe(near)
  })

  async open(): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  close(): void {
    this.cut()
    this.#server.close()
  }
}

describe('audit tail --follow', () => {
  let child: ChildProcess | undefined
  let shown = ''
  let told = ''
  const line = new Line()

  const start = (url: string, ...options: string[]) => {
    shown = told = ''
    child = startCommand(['audit', 'tail', '--follow', '--json', '--audit', url, ...options], {
      env: stack.as('operator'),
    })
    child.stdout!.on('data', (chunk) => (shown += chunk))
    child.stderr!.on('data', (chunk) => (told += chunk))
  }
  const stop = () => void child?.kill('SIGKILL')
  afterAll(() => (stop(), line.close()))

  test('begins with the latest, and goes on with what comes', async () => {
    await until(() => journaled(31))
    start(stack.issuer, '--limit', '2', '--type', 'token.issued')
    await until(() => indexesOf(shown).length === 2)
    await stack.issue()
    await until(() => indexesOf(shown).length === 3)
    stop()
    expect(indexesOf(shown)).toEqual([...issued.slice(-2), issued.at(-1)! + 1])
  })

  test('begins at the end with a limit of 0', async () => {
    start(stack.issuer, '--limit', '0')
    // It says nothing of having begun: so issue until it has.
    await until(async () => (await stack.issue(), await sleep(100), shown.includes('\n')))
    stop()
    expect(indexesOf(shown)[0]).toBeGreaterThan(issued.at(-1)! + 1)
  })

  test('loses nothing and doubles nothing while the line is cut again and again, and the server killed', async () => {
    start(await line.open(), '--since-index', '0')
    await until(() => indexesOf(shown).length > 0)
    for (let round = 0; round < 6; round++) {
      await Promise.all(Array.from({ length: 10 }, () => stack.issue()))
      line.cut()
      if (round === 3) {
        await stack.end('SIGKILL')
        await stack.start()
      }
      await sleep(100)
    }
    const [newest] = eventsOf((await tail('--json', '--limit', '1', '--type', 'token.issued')).stdout)
    await until(async () => (await journaled(30 + 60)) && shown.includes(`{"index":${issued.at(-1)},`))
    stop()
    const indexes = indexesOf(shown.slice(0, shown.lastIndexOf('\n')))
    expect(indexes).toEqual(indexes.map((_, n) => n + 1))
    expect(indexes.length).toBeGreaterThanOrEqual(newest!.index)
    expect(told).toContain('; trying again')
    expect(told).not.toContain('secret-of-a-test')
  })
})
