import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { findProgram, freePort, giveTo, ServerProcess, temporaryFolder, unprivilegedUser } from './process.ts'

export interface PostgresServer extends ServerProcess {
  url: string
}

/** A PostgreSQL of its own, durable as by default, trusting loopback. */
export async function startPostgres(options: { port?: number } = {}): Promise<PostgresServer> {
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
  const server = new ServerProcess({
    program: join(dirname(initdb), 'postgres'),
    args: ['-D', data, '-p', String(port), '-k', folder, '-c', 'listen_addresses=127.0.0.1'],
    port,
    folder,
    user,
    ready: async () => isReady(),
  })
  await server.start()
  return Object.assign(server, { url: `postgres://countersign@127.0.0.1:${port}/postgres` })
}
