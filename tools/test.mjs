// npm test: everything, on real servers. `npm test -- libs/store` narrows it down.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { installDependencies, root, runtime } from './bootstrap.mjs'
import { installServers } from './install-servers.mjs'

installDependencies()
installServers(
  [
    ...['redis-server', 'redis-cli', 'nats-server', 'postgres', 'nginx', 'slapd', 'openssl'],
    ...['spin', 'gcc', 'faketime', 'chromium'],
  ],
  ['grpc', 'grpc_tools', 'authlib', 'requests_oauthlib'],
)

const folder = mkdtempSync(join(tmpdir(), 'countersign-test-'))
const report = join(folder, 'report.json')
const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning']
const jest = join(root, 'node_modules/jest/bin/jest.js')
const args = [...flags, jest, '--rootDir', root, '--json', '--outputFile', report, ...process.argv.slice(2)]
const result = spawnSync(runtime(), args, { cwd: root, stdio: ['ignore', 'ignore', 2] })

let counts = { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numRuntimeErrorTestSuites: 0 }
try {
  counts = JSON.parse(readFileSync(report, 'utf8'))
} catch {
  console.error('countersign: Jest wrote no report')
}
rmSync(folder, { recursive: true, force: true })
const failed = counts.numFailedTests + counts.numRuntimeErrorTestSuites
const skipped = counts.numPendingTests > 0 ? `, ${counts.numPendingTests} skipped` : ''
console.log(`${counts.numPassedTests} passed, ${failed} failed${skipped}`)
process.exit(result.status === 0 && failed === 0 && counts.numPassedTests > 0 ? 0 : 1)
