// npm start: the embedded stack, ready to try. `npm start -- --config FILE` takes a configuration.
import { command, installDependencies, runNode } from './bootstrap.mjs'

installDependencies()
runNode([command, 'serve', 'all', ...process.argv.slice(2)])
