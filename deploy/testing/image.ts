import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  symlinkSync,
} from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))
export const nodeProgram = realpathSync(process.execPath)

const lines = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n')
const included = lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1))

/** The build context as .dockerignore lets it through, with installed dependencies as `npm ci` would put them. */
export function buildContext(folder: string): void {
  const isLetThrough = (file: string) => !/(^|\/)node_modules(\/|$)|\.test\.ts$/.test(relative(root, file))
  for (const path of included) {
    cpSync(join(root, path), join(folder, path), { recursive: true, filter: isLetThrough })
  }
  const scope = 'node_modules/@countersign'
  mkdirSync(join(folder, scope), { recursive: true })
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (name !== '@countersign') symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name))
  }
  for (const name of readdirSync(join(root, scope))) {
    const workspace = readlinkSync(join(root, scope, name))
    symlinkSync(workspace, join(folder, scope, name))
    const own = relative(root, join(root, scope, workspace, 'node_modules'))
    if (existsSync(join(root, own)) && existsSync(dirname(join(folder, own)))) {
      symlinkSync(join(root, own), join(folder, own))
    }
  }
}

/** Does what the Dockerfile's build stage does: makes `/app`, here in a folder. */
export function buildImage(context: string, app: string): void {
  buildContext(context)
  const made = spawnSync(nodeProgram, ['tools/bundle.mjs', '--out', app], { cwd: context, encoding: 'utf8' })
  if (made.status !== 0) throw new Error(`the bundles could not be made:\n${made.stderr}`)
  const [, files = ''] = /&& cp (.*) \/app\//.exec(readFileSync(join(root, 'deploy/Dockerfile'), 'utf8')) ?? []
  for (const file of files.split(' ')) cpSync(join(context, file), join(app, file.split('/').at(-1)!))
}
