// npm run simulate -- [--seeds N] [--from S] [--seed S --trace] [--mutant NAME|all] [--json]; --help tells more.
import { join } from 'node:path'
import { installDependencies, root, runNode } from './bootstrap.mjs'

installDependencies()
runNode([join(root, 'libs/simulator/src/main.ts'), ...process.argv.slice(2)])
