#!/usr/bin/env node
// npx countersign …: the command, in the repository.
import { join } from 'node:path'
import { installDependencies, root, runNode } from './bootstrap.mjs'

installDependencies()
runNode([join(root, 'apps/cli/src/main.ts'), ...process.argv.slice(2)])
