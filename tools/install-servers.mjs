// Finds the servers that tests and benchmarks start; on Debian and Ubuntu as root, installs what is missing.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Program → Debian package, or packages. */
const packages = {
  'redis-server': 'redis-server',
  'redis-cli': 'redis-tools',
  'nats-server': 'nats-server',
  postgres: 'postgresql',
  openssl: 'openssl',
  wrk: 'wrk',
  nginx: 'nginx-light',
  spin: 'spin',
  gcc: ['gcc', 'libc6-dev'],
  faketime: 'faketime',
  chromium: ['chromium', 'fonts-dejavu-core'],
  slapd: 'slapd',
}
/** Python modules of Debian's own Python → Debian package. */
const pythonModules = {
  grpc: 'python3-grpcio',
  grpc_tools: 'python3-grpc-tools',
  authlib: 'python3-authlib',
  requests_oauthlib: 'python3-requests-oauthlib',
}
const debianPython = '/usr/bin/python3'

function folders() {
  const postgres = '/usr/lib/postgresql'
  const versions = existsSync(postgres) ? readdirSync(postgres).map((version) => join(postgres, version, 'bin')) : []
  return [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin', ...versions]
}

const isProgram = (name) => folders().some((folder) => existsSync(join(folder, name)))
const isPythonModule = (name) => spawnSync(debianPython, ['-c', `import ${name}`], { stdio: 'ignore' }).status === 0

const mayInstall = () =>
  process.getuid?.() === 0 && spawnSync('apt-get', ['--version'], { stdio: 'ignore' }).status === 0

function aptInstall(names) {
  console.error(`countersign: installing ${names.join(', ')} with apt-get…`)
  // Servers that a package would start by itself are not ours to run: the policy file is Debian's way to say so.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  const run = (args) => spawnSync('apt-get', ['-qq', ...args], { stdio: ['ignore', 'ignore', 2], env }).status === 0
  return (run(['update']), run(['install', '-y', '--no-install-recommends', ...names]))
}

/** @param programs names as above; @param modules Python modules as above */
export function installServers(programs, modules = []) {
  const missing = () => [
    ...programs.filter((name) => !isProgram(name)).flatMap((name) => packages[name]),
    ...modules.filter((name) => !isPythonModule(name)).map((name) => pythonModules[name]),
  ]
  const wanted = [...new Set(missing())]
  if (wanted.length === 0) return
  if (mayInstall()) aptInstall(wanted)
  const left = [...new Set(missing())]
  if (left.length === 0) return
  console.error(`countersign: missing: ${left.join(', ')} (Debian package names).`)
  console.error(`Install them (as root: apt-get install ${left.join(' ')}) and run this again.`)
  process.exit(1)
}
