// npm run bench -- [SUITE…] [--seconds 10] [--concurrency 32] [--json FILE]
import { join } from 'node:path'
import { installDependencies, root, runNode } from './bootstrap.mjs'
import { installServers } from './install-servers.mjs'

installDependencies()
installServers(['redis-server', 'nats-server', 'postgres', 'wrk'])
runNode([join(root, 'bench/src/main.ts'), ...process.argv.slice(2)])
