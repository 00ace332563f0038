import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findProgram, freePort, ServerProcess, temporaryFolder } from './process.ts'

export interface NatsServer extends ServerProcess {
  url: string
}

/** nats-server with JetStream on file storage. */
export async function startNats(options: { config?: string[]; port?: number } = {}): Promise<NatsServer> {
  const port = options.port ?? (await freePort())
  const folder = temporaryFolder('nats')
  const lines = [`listen: 127.0.0.1:${port}`, `jetstream { store_dir: "${folder}" }`, ...(options.config ?? [])]
  writeFileSync(join(folder, 'nats.conf'), lines.join('\n') + '\n')
  const program = findProgram('nats-server', 'nats-server')
  const server = await new ServerProcess({ program, args: ['-c', join(folder, 'nats.conf')], port, folder }).start()
  return Object.assign(server, { url: `nats://127.0.0.1:${port}` })
}
