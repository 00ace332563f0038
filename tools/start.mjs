// npm start: the embedded stack, ready to try. `npm start -- --config FILE` takes a configuration.
import { join } from 'node:path'
import { installDependencies, root, runNode } from './bootstrap.mjs'

installDependencies()
runNode([join(root, 'apps/cli/src/main.ts'), 'serve', 'all', ...process.argv.slice(2)])
