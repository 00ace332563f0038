import { spawn, type ChildProcess } from 'node:child_process'
import { accessSync, chownSync, constants, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const readyWithinMs = 20_000
const extraFolders = ['/usr/sbin', '/usr/local/sbin', '/sbin']

function postgresFolders(): string[] {
  const root = '/usr/lib/postgresql'
  if (!existsSync(root)) return []
  const versions = readdirSync(root).sort((a, b) => Number(b) - Number(a))
  return versions.map((version) => join(root, version, 'bin'))
}

/** Finds a program on the PATH and where Debian hides some. @throws Error that says what to install. */
export function findProgram(name: string, debianPackage: string): string {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...extraFolders, ...postgresFolders()]
  for (const folder of folders) {
    const path = join(folder, name)
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {
      continue
    }
  }
  throw new Error(`${name} is not installed: apt-get install ${debianPackage}, or put it on the PATH`)
}

/** A loopback TCP port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

export const temporaryFolder = (name: string): string => mkdtempSync(join(tmpdir(), `countersign-${name}-`))

export interface User {
  uid: number
  gid: number
}

/** The user that a server refusing to be root shall run as; undefined when we are not root ourselves. */
export function unprivilegedUser(name: string): User | undefined {
  if (process.getuid?.() !== 0) return undefined
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n')
  const line = lines.find((l) => l.startsWith(`${name}:`)) ?? lines.find((l) => l.startsWith('nobody:'))
  const [, , uid, gid] = (line ?? '').split(':')
  if (uid === undefined || gid === undefined) throw new Error(`no user ${name} and no nobody in /etc/passwd`)
  return { uid: Number(uid), gid: Number(gid) }
}

export const giveTo = (path: string, user: User | undefined): void => {
  if (user) chownSync(path, user.uid, user.gid)
}

async function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve((socket.destroy(), true)))
    socket.once('error', () => resolve(false))
  })
}

export interface ServerOptions {
  program: string
  args: string[]
  port: number
  folder: string
  user?: User | undefined
  env?: Record<string, string>
  /** Beyond accepting connections. */
  ready?: () => Promise<boolean>
}

/** A server that the caller started: on loopback, in its own folder, ended by its pid. */
export class ServerProcess {
  readonly port: number
  readonly folder: string
  readonly #options: ServerOptions
  #child: ChildProcess | undefined
  #output = ''

  constructor(options: ServerOptions) {
    this.#options = options
    this.port = options.port
    this.folder = options.folder
  }

  /** The last lines that it printed. */
  get output(): string {
    return this.#output
  }

  get pid(): number {
    if (this.#child?.pid === undefined) throw new Error(`${this.#options.program} is not running`)
    return this.#child.pid
  }

  /** A server that ends at once is tried again: what a killed one held of the system may take a moment to go. */
  async start(attempts = 3): Promise<this> {
    const { program, args, folder, user, env } = this.#options
    const child = spawn(program, args, {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
      ...user,
    })
    this.#child = child
    const keep = (chunk: Buffer) => (this.#output = (this.#output + chunk.toString()).slice(-4_000))
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    const failed = new Promise<never>((_, reject) => child.once('error', reject))
    failed.catch(() => undefined)
    if (await Promise.race([this.#ready(child), failed])) return this
    await this.kill()
    if (attempts <= 1) throw new Error(`${program} was not ready on port ${this.port}:\n${this.#output}`)
    await sleep(500)
    return this.start(attempts - 1)
  }

  async #ready(child: ChildProcess): Promise<boolean> {
    const until = Date.now() + readyWithinMs
    while (Date.now() < until) {
      if (child.exitCode !== null) return false
      if ((await accepts(this.port)) && (await (this.#options.ready?.() ?? true))) return true
      await sleep(25)
    }
    return false
  }

  async #signal(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill(signal)
    await gone
    this.#child = undefined
  }

  /** As a power cut would: SIGKILL, data left as it is. */
  kill = (): Promise<void> => this.#signal('SIGKILL')
  terminate = (): Promise<void> => this.#signal('SIGTERM')
  pause(): void {
    process.kill(this.pid, 'SIGSTOP')
  }
  resume(): void {
    process.kill(this.pid, 'SIGCONT')
  }

  /** Kills it if it runs and starts it on the same port and data. */
  async restart(): Promise<void> {
    await this.kill()
    await this.start()
  }

  /** Ends it and removes its data. */
  async stop(): Promise<void> {
    await this.kill()
    rmSync(this.folder, { recursive: true, force: true })
  }
}
