import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort, repositoryRoot, ServerProcess, temporaryFolder, until, Visitor } from '@countersign/servers'

const person = { loginName: 'alice', password: 'correct horse battery staple' }

/** What a program writes, and that it came to a good end. */
class Run {
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown[]>
  output = ''

  constructor(program: string, args: readonly string[], input: string) {
    this.#child = spawn(program, args, { cwd: repositoryRoot })
    this.#ended = once(this.#child, 'close')
    for (const stream of [this.#child.stdout!, this.#child.stderr!])
      stream.setEncoding('utf8').on('data', (text: string) => (this.output += text))
    this.#child.stdin!.end(input)
  }

  async link(): Promise<string> {
    await until(() => /http:\S+\n/.test(this.output))
    return /http:\S+/.exec(this.output)![0]
  }

  async lines(): Promise<string[]> {
    const [code] = await this.#ended
    expect({ code, output: this.output }).toMatchObject({ code: 0 })
    return this.output.trim().split('\n')
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }
}

describe('what is told where there is no configuration', () => {
  let server: ServerProcess
  let issuer: string
  let banner: string
  const runs: Run[] = []
  const run = (program: string, args: readonly string[], input: string) => {
    const started = new Run(program, args, input)
    runs.push(started)
    return started
  }
  /** The indented lines behind a sentence of the banner. */
  const pasted = (sentence: string): string => {
    const [, behind = ''] = banner.split(sentence)
    return /^[^\n]*\n((?: {2}.*\n|\n)+)/.exec(behind)![1]!
  }

  beforeAll(async () => {
    const [http, grpc, management] = [await freePort(), await freePort(), await freePort()]
    issuer = `http://localhost:${http}`
    server = new ServerProcess({
      program: process.execPath,
      args: [join(repositoryRoot, 'apps/embedded/src/main.ts')],
      port: management,
      folder: temporaryFolder('demo'),
      env: {
        COUNTERSIGN_ISSUER: issuer,
        COUNTERSIGN_LISTEN__HTTP: `127.0.0.1:${http}`,
        COUNTERSIGN_LISTEN__GRPC: `127.0.0.1:${grpc}`,
        COUNTERSIGN_LISTEN__MANAGEMENT: `127.0.0.1:${management}`,
      },
    })
    await server.start()
    await until(() => server.output.includes('Press Ctrl-C to stop.'))
    banner = server.output
    const visitor = new Visitor(issuer)
    await visitor.go(pasted('To sign in, first make an account.').trim())
    await visitor.submit({ login_name: person.loginName, name: 'Alice', email: 'alice@example.org', ...passwords })
    expect(visitor.reply.status).toBe(200)
  })
  afterAll(async () => {
    for (const started of runs) started.kill()
    await server?.stop()
  })

  test('shows the job of a machine, pasted in a shell', async () => {
    const [token, good, revoked, bad, journal] = await run('sh', [], pasted('Paste this in another terminal')).lines()
    expect(token).toMatch(/^cs_at_/)
    expect(JSON.parse(good!)).toMatchObject({ active: true, client_id: 'batch', scope: 'read:reports' })
    expect(revoked).toBe('revoked: 200')
    expect(bad).toBe('{"active":false}')
    expect(JSON.parse(journal!)).toMatchObject({ events: expect.any(Array) })
  })

  test('lets a device in, pasted in a shell, once a person has agreed', async () => {
    const shell = run('sh', [], pasted('Then let a device in.'))
    const visitor = new Visitor(issuer)
    await visitor.go(await shell.link())
    await visitor.signIn(person)
    expect(visitor.reply.text).toContain('Your device is connected')
    expect(JSON.parse((await shell.lines()).at(-1)!)).toMatchObject({ sub: expect.any(String), name: 'Alice' })
  })

  test('signs a person in for the application of README.md', async () => {
    const [, snippet = ''] = /```js\n([\s\S]*?)```/.exec(readFileSync(join(repositoryRoot, 'README.md'), 'utf8')) ?? []
    const port = await freePort()
    const program = snippet.replaceAll('http://localhost:8080', issuer).replaceAll('3000', `${port}`)
    const application = run(process.execPath, ['--input-type=module', '-'], program)
    const visitor = new Visitor(issuer)
    await visitor.go(await application.link())
    const answer = await fetch(await visitor.signIn(person))
    expect(await answer.json()).toMatchObject({ sub: expect.any(String), name: 'Alice' })
  })
})

const passwords = { password: person.password, password_again: person.password }
