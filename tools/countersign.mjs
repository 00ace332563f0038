#!/usr/bin/env node
// npx countersign …: the command, in the repository.
import { command, installDependencies, runNode } from './bootstrap.mjs'

installDependencies()
runNode([command, ...process.argv.slice(2)])
