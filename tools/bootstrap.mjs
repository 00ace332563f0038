// Makes a fresh clone ready with nothing but Node >= 20 and npm; no dependency of its own.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))
const wantedMajor = 24
const marker = join(root, 'node_modules', '.countersign-installed')

const lockDigest = () =>
  createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
/** The `countersign` command. */
export const command = join(root, 'apps/cli/src/main.ts')

/** Where Node keeps what it compiled. */
const compileCache = { NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'countersign') }

const isInstalled = () => existsSync(marker) && readFileSync(marker, 'utf8') === lockDigest()

/** Installs what the lockfile says, once per lockfile. */
export function installDependencies() {
  if (isInstalled()) return
  console.error('countersign: installing dependencies (once; about a minute)…')
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  const flags = ['--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error']
  // `npm install` keeps to the lockfile and forgives a platform's missing optional package, where `npm ci` refuses.
  const result = spawnSync(npm, ['install', ...flags], { cwd: root, stdio: ['ignore', 2, 2] })
  if (result.status !== 0) {
    console.error('countersign: npm could not install the dependencies; see above')
    process.exit(1)
  }
  writeFileSync(marker, lockDigest())
  warmUp()
}

/**
 * Starts the stack once, in a folder of its own, and stops it: from now on types are stripped and code is compiled,
 * so that starting takes half the time and 20 MB less memory. Whatever goes wrong here is told by the real start.
 */
function warmUp() {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-warm-'))
  const listeners = ['HTTP', 'GRPC', 'MANAGEMENT'].map((name) => [`COUNTERSIGN_LISTEN__${name}`, '127.0.0.1:0'])
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('COUNTERSIGN_'))
  const env = { ...Object.fromEntries(own), ...Object.fromEntries(listeners), ...compileCache }
  const script = `const { spawn } = require('node:child_process')
    const child = spawn(process.execPath, [${JSON.stringify(command)}, 'serve', 'all'], { stdio: ['ignore', 'pipe', 'ignore'] })
    child.stdout.on('data', (text) => { if (String(text).includes('is ready')) child.kill('SIGTERM') })
    setTimeout(() => child.kill('SIGKILL'), 15000).unref()`
  spawnSync(runtime(), ['-e', script], { cwd: folder, stdio: 'ignore', env })
  rmSync(folder, { recursive: true, force: true })
}

/** The Node that the sources run on: this one if it is new enough, else the one from npm. */
export function runtime() {
  if (Number(process.versions.node.split('.')[0]) >= wantedMajor) return process.execPath
  const fromNpm = join(root, 'node_modules', '.bin', 'node')
  if (existsSync(fromNpm)) return fromNpm
  console.error(
    `countersign: Node ${wantedMajor} is needed, this is ${process.version}, and npm has none for this platform.`,
  )
  console.error(`Install Node ${wantedMajor} or newer (https://nodejs.org) and run this again.`)
  process.exit(1)
}

/** Runs Node on a script until it ends, passing signals on; its exit code is ours. */
export function runNode(args, options = {}) {
  const child = spawn(runtime(), args, { stdio: 'inherit', env: { ...compileCache, ...process.env }, ...options })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => process.exit(code ?? (signal ? 128 : 1)))
}
