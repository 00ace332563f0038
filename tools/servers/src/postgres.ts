import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import {
  findProgram,
  freePort,
  giveTo,
  ServerProcess,
  temporaryFolder,
  unprivilegedUser,
  type User,
} from './process.ts'

export interface PostgresServer extends ServerProcess {
  url: string
}

export interface PostgresOptions {
  port?: number
  /** PEM texts: only TLS is spoken then. */
  tls?: { cert: string; key: string }
}

/** A PostgreSQL of its own, durable as by default, trusting loopback. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const port = options.port ?? (await freePort())
  const folder = temporaryFolder('postgres')
  const user = unprivilegedUser('postgres')
  giveTo(folder, user)
  const data = join(folder, 'data')
  const initdb = findProgram('initdb', 'postgresql')
  const args = ['-D', data, '-U', 'countersign', '-A', 'trust', '-E', 'UTF8', '--no-locale', '--no-instructions']
  const made = spawnSync(initdb, args, { cwd: folder, encoding: 'utf8', ...user })
  if (made.status !== 0) throw new Error(`initdb failed:\n${made.stdout}${made.stderr}${made.error ?? ''}`)
  const isReady = () =>
    spawnSync(findProgram('psql', 'postgresql'), [
      ...['-h', '127.0.0.1', '-p', String(port), '-U', 'countersign', '-d', 'postgres', '-Atc', 'select 1'],
    ]).status === 0
  const tls = options.tls ? requireTls(data, options.tls, user) : []
  const server = new ServerProcess({
    program: join(dirname(initdb), 'postgres'),
    args: ['-D', data, '-p', String(port), '-k', folder, '-c', 'listen_addresses=127.0.0.1', ...tls],
    port,
    folder,
    user,
    ready: async () => isReady(),
  })
  await server.start()
  return Object.assign(server, { url: `postgres://countersign@127.0.0.1:${port}/postgres` })
}

function requireTls(data: string, { cert, key }: { cert: string; key: string }, user: User | undefined): string[] {
  for (const [name, text] of Object.entries({ 'server.crt': cert, 'server.key': key })) {
    writeFileSync(join(data, name), text, { mode: 0o600 })
    giveTo(join(data, name), user)
  }
  // The superuser's own look whether it is ready comes over TLS too: psql prefers it.
  writeFileSync(join(data, 'pg_hba.conf'), 'hostssl all all 127.0.0.1/32 trust\n')
  return [
    '-c',
    'ssl=on',
    '-c',
    `ssl_cert_file=${join(data, 'server.crt')}`,
    '-c',
    `ssl_key_file=${join(data, 'server.key')}`,
  ]
}
