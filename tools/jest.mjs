// Runs Jest as `npm test` does, for whatever arguments: node tools/jest.mjs libs/store
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning']
const jest = `${root}node_modules/jest/bin/jest.js`
const child = spawnSync(
  `${root}node_modules/.bin/node`,
  [...flags, jest, '--rootDir', root, ...process.argv.slice(2)],
  {
    cwd: root,
    stdio: 'inherit',
  },
)
process.exit(child.status ?? 1)
