// node tools/bundle.mjs [--out DIR] [APP…]: each app in one file, dist/<app>/main.mjs, that needs Node 24 and nothing else.
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'
import { root } from './bootstrap.mjs'

const everyApp = ['login', 'token-issuer', 'introspection', 'audit', 'embedded', 'cli']

/** CommonJS packages in an ES module: what Node gives them, the module has to make. */
const banner = `import { createRequire as __createRequire } from 'node:module'
const require = __createRequire(import.meta.url), __filename = import.meta.filename, __dirname = import.meta.dirname`

const packageOf = (file) => /^(.*\/node_modules\/((?:@[^/]+\/)?[^/]+))\//.exec(file.split(sep).join('/'))

/** Files that code reads while it runs: they lie in `assets` beside the bundle, and the code looks for them there. */
const assets = (outdir) => ({
  name: 'assets',
  setup({ onLoad, resolve: find }) {
    // Packages that load their .proto files by a path from their own folder.
    onLoad(
      { filter: /[\\/]node_modules[\\/](grpc-health-check|@grpc[\\/]reflection)[\\/]build[\\/].*\.js$/ },
      ({ path }) => {
        const [, folder, name] = packageOf(path)
        const copy = join('assets', name)
        for (const file of readdirSync(folder, { recursive: true })) {
          if (/\.proto$/.test(file)) cpSync(join(folder, file), join(outdir, copy, file))
        }
        const here = JSON.stringify('/' + join(copy, relative(folder, dirname(path))))
        return { contents: readFileSync(path, 'utf8').replaceAll('__dirname', `(__dirname + ${here})`) }
      },
    )
    onLoad({ filter: /[\\/](libs|apps)[\\/].*\.ts$/ }, async ({ path }) => {
      let contents = readFileSync(path, 'utf8')
      const take = (file) => {
        const name = relative(root, file).replaceAll(sep, '-')
        cpSync(file, join(outdir, 'assets', name))
        return `new URL('./assets/${name}', import.meta.url)`
      }
      for (const [call, specifier] of contents.matchAll(/import\.meta\.resolve\('([^']+)'\)/g)) {
        const found = await find(specifier, { resolveDir: dirname(path), kind: 'import-statement' })
        if (!/\.[mc]?[jt]s$/.test(found.path)) contents = contents.replace(call, `${take(found.path)}.href`)
      }
      for (const [call, name] of contents.matchAll(/new URL\('(\.[^']+)', import\.meta\.url\)/g)) {
        const file = resolve(dirname(path), name)
        if (existsSync(file) && /\.\w+$/.test(file) && !/\.[mc]?[jt]s$/.test(file)) {
          contents = contents.replace(call, take(file))
        }
      }
      return { contents, loader: 'ts' }
    })
  },
})

/** The licences of what was bundled, as they ask to be passed on. */
function licences(inputs) {
  const packages = new Map()
  for (const input of inputs) {
    const [, folder, name] = packageOf(resolve(root, input)) ?? []
    if (folder !== undefined && existsSync(join(folder, 'package.json'))) packages.set(folder, name)
  }
  const texts = [...packages].sort().map(([folder, name]) => {
    const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    const file = ['LICENSE', 'LICENSE.md', 'LICENSE.txt', 'license', 'LICENCE'].find((n) => existsSync(join(folder, n)))
    return `${name} ${version} (${license})\n\n${file ? readFileSync(join(folder, file), 'utf8') : ''}`
  })
  return texts.join(`\n${'-'.repeat(80)}\n\n`)
}

async function bundle(app, out) {
  const outdir = join(out, app)
  rmSync(outdir, { recursive: true, force: true })
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [join(root, 'apps', app, 'src/main.ts')],
    outfile: join(outdir, 'main.mjs'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    sourcemap: true,
    sourcesContent: false,
    metafile: true,
    logLevel: 'warning',
    banner: { js: banner },
    // pg loads it only where it is installed beside it.
    external: ['pg-native'],
    plugins: [assets(outdir)],
  })
  writeFileSync(join(outdir, 'THIRD-PARTY-LICENSES.txt'), licences(Object.keys(metafile.inputs)))
}

const { values, positionals } = parseArgs({ options: { out: { type: 'string' } }, allowPositionals: true })
const out = resolve(values.out ?? join(root, 'dist'))
await Promise.all((positionals.length > 0 ? positionals : everyApp).map((app) => bundle(app, out)))
