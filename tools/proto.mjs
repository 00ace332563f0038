// npm run generate: code from the contracts. With --check: fails when the committed code is not what they give,
// or when they break what the last release promised.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './bootstrap.mjs'

const generated = 'libs/contracts/src/gen'
const buf = (...args) => {
  const result = spawnSync(join(root, 'node_modules/.bin/buf'), args, { cwd: root, stdio: 'inherit' })
  if (result.status !== 0) process.exit(1)
}
const generate = () => {
  buf('generate')
  buf('build', '--as-file-descriptor-set', '-o', `${generated}/descriptor.binpb`)
}
const git = (...args) => spawnSync('git', args, { cwd: root, encoding: 'utf8' })

if (process.argv.includes('--check')) {
  const before = mkdtempSync(join(tmpdir(), 'countersign-gen-'))
  cpSync(join(root, generated), before, { recursive: true })
  generate()
  const changed = spawnSync('diff', ['-r', before, join(root, generated)], { encoding: 'utf8' })
  rmSync(before, { recursive: true })
  if (changed.status !== 0) {
    console.error(`the generated code was not current; it is now: commit it\n${changed.stdout}`)
    process.exit(1)
  }
  const released = git('describe', '--tags', '--abbrev=0', '--match', 'v*').stdout.trim()
  if (released !== '') buf('breaking', '--against', `.git#tag=${released}`)
} else {
  generate()
}
