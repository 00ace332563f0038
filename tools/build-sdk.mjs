// node tools/build-sdk.mjs [--out DIR]: what resource services install, ready for `npm publish`, in dist/sdk.
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { basename, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'
import ts from 'typescript'
import { root } from './bootstrap.mjs'

const { values } = parseArgs({ options: { out: { type: 'string' } } })
const out = resolve(values.out ?? join(root, 'dist/sdk'))
const read = (file) => readFileSync(join(root, file), 'utf8')
const write = (name, text) => writeFileSync(join(out, name), text)

/** Installed beside it; all else is bundled. cockatiel is, too: it asks for a newer Node than its code needs. */
const installed = ['@grpc/grpc-js', '@bufbuild/protobuf']
const isInstalled = (specifier) => installed.some((name) => specifier === name || specifier.startsWith(`${name}/`))

/** No module of ours or theirs does anything by being imported: what is not used is left out. */
const unusedLeftOut = {
  name: 'unused-left-out',
  setup({ onResolve, resolve: find }) {
    onResolve({ filter: /^[^.]/ }, async ({ path, resolveDir, kind, pluginData }) => {
      if (kind === 'entry-point' || pluginData === 'found') return undefined
      if (isInstalled(path)) return { path, external: true, sideEffects: false }
      const found = await find(path, { resolveDir, kind, pluginData: 'found' })
      return { ...found, sideEffects: false }
    })
  },
}

/** One entry point each, and what they have in common once: a Failure of one is a Failure of the other. */
async function bundle() {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: ['libs/sdk/src/index.ts', 'libs/sdk/src/express.ts'],
    outdir: out,
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    metafile: true,
    logLevel: 'warning',
    plugins: [unusedLeftOut],
  })
  const outputs = Object.values(metafile.outputs)
  const imports = outputs.flatMap((output) => output.imports).filter(({ external }) => external)
  const unknown = imports.map(({ path }) => path).filter((path) => !isInstalled(path) && !isBuiltin(path))
  if (unknown.length > 0) throw new Error(`neither bundled nor installed: ${unknown}`)
  return outputs.flatMap(({ inputs }) => Object.keys(inputs).filter((input) => inputs[input].bytesInOutput > 0))
}

/** Types that know nothing but each other. */
function declare() {
  const files = ['index', 'create', 'express', 'types'].map((name) => `libs/sdk/src/${name}.ts`)
  for (const file of [...files, 'libs/contracts/src/failure.ts']) {
    const { outputText, diagnostics } = ts.transpileDeclaration(read(file), {
      fileName: file,
      reportDiagnostics: true,
      compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.NodeNext },
    })
    if (diagnostics?.length > 0) throw new Error(`${file}: ${ts.formatDiagnostics(diagnostics, host)}`)
    const text = outputText
      .replaceAll("'@countersign/contracts'", "'./failure.js'")
      .replace(/(from '\.[^']*)\.ts'/g, "$1.js'")
    if (/@countersign\//.test(text.replace(/^\s*(\/?\*|\/\/).*$/gm, '')))
      throw new Error(`${file}: its types need another package`)
    write(basename(file, '.ts') + '.d.ts', text)
  }
}
const host = { getCanonicalFileName: (name) => name, getCurrentDirectory: () => root, getNewLine: () => '\n' }

/** The licences of what was bundled ask to be passed on. */
function licences(inputs) {
  const names = inputs.map((input) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1]).filter(Boolean)
  const texts = [...new Set(names)].sort().map((name) => {
    const { version, license } = JSON.parse(read(`node_modules/${name}/package.json`))
    return `${name} ${version} (${license})\n\n${read(`node_modules/${name}/LICENSE`)}`
  })
  write('THIRD-PARTY-LICENSES.txt', texts.join(`\n${'-'.repeat(80)}\n\n`))
}

function describe() {
  const { name, version, description, license } = JSON.parse(read('libs/sdk/package.json'))
  const { dependencies } = JSON.parse(read('libs/contracts/package.json'))
  const entry = (file) => ({ types: `./${file}.d.ts`, default: `./${file}.js` })
  const manifest = {
    name,
    version,
    description,
    license,
    keywords: ['oauth2', 'introspection', 'token', 'revocation', 'express', 'grpc'],
    type: 'module',
    engines: { node: '>=20' },
    sideEffects: false,
    exports: { '.': entry('index'), './express': entry('express') },
    files: ['*.js', '*.d.ts', 'THIRD-PARTY-LICENSES.txt'],
    dependencies: Object.fromEntries(installed.map((each) => [each, dependencies[each]])),
  }
  write('package.json', `${JSON.stringify(manifest, null, 2)}\n`)
  // Links to other pages of this repository lead nowhere from there.
  write('README.md', read('docs/sdk.md').replace(/\[([^\]]+)\]\((?!https?:|#)[^)]+\)/g, '$1'))
  copyFileSync(join(root, 'LICENSE'), join(out, 'LICENSE'))
}

rmSync(out, { recursive: true, force: true })
mkdirSync(out, { recursive: true })
licences(await bundle())
declare()
describe()
