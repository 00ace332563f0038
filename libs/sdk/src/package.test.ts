import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { MainJob, repositoryRoot, startEmbedded, temporaryFolder, type Embedded } from '@countersign/servers'

/** What Node programs this machine has, one of each version that the package is for. */
function nodes(): [version: string, program: string][] {
  const folders = ['/usr/bin', '/usr/local/bin', ...(process.env.PATH ?? '').split(delimiter)]
  const programs = [
    process.execPath,
    process.env.npm_node_execpath ?? '',
    ...folders.map((folder) => join(folder, 'node')),
  ]
  const found = new Map<string, string>()
  for (const program of programs.filter((path) => path !== '' && existsSync(path))) {
    const version = execFileSync(program, ['--version'], { encoding: 'utf8' }).trim()
    if (Number(/^v(\d+)/.exec(version)![1]) >= 20 && !found.has(version)) found.set(version, program)
  }
  return [...found]
}

const program = `
import { createVerifier, Failure, type Token, type Verification, type Verifier, type VerifierOptions } from '@countersign/sdk'
import { requireRole, requireScope, requireToken, type ProtectedRequest } from '@countersign/sdk/express'

const [target = '', clientSecret = '', token = ''] = process.argv.slice(2)
const options: VerifierOptions = {
  target,
  credentials: { clientId: 'reports-api', clientSecret },
  tls: target === '' ? { ca: new Uint8Array() } : undefined,
  maxStalenessMs: 500,
}
const verifier: Verifier = createVerifier(options)
const verification: Verification = await verifier.verify(token, { scopes: ['read:reports'] })
const known: Token | undefined = verification.token
const other = await verifier.verify(token, { scopes: ['write:reports'] })
const error: 'invalid_token' | 'insufficient_scope' | undefined = other.ok ? undefined : other.error

// A Failure of one entry point is one of the other.
const failing: Verifier = { ...verifier, verify: () => Promise.reject(new Failure('unavailable', 'not now')) }
const middleware = [requireToken(failing, { realm: 'test' }), requireScope('read:reports'), requireRole('editor')]
const request: ProtectedRequest = { headers: { authorization: 'Bearer x' } }
const status = await new Promise((resolve, reject) => {
  const response = { status: (code: number) => (resolve(code), response), setHeader: () => undefined, json: () => undefined }
  middleware[0]!(request, response, reject)
})
console.log(JSON.stringify({ ok: verification.ok, subject: known?.subject, error, status, hits: verifier.metrics().includes('verifier_') }))
verifier.close()

export function mistakes(): void {
  // @ts-expect-error: scopes are given one by one
  requireScope(['read:reports'])
  // @ts-expect-error: what a verifier gives is not to be changed
  known?.roles.push('admin')
}
`

const withExpress = `
import express, { type Request } from 'express'
import { createVerifier } from '@countersign/sdk'
import { requireScope, requireToken, type ProtectedRequest } from '@countersign/sdk/express'

const api = express()
const verifier = createVerifier()
api.use(requireToken(verifier, { audience: 'https://reports.example' }))
api.get('/things', requireScope('read:reports'), (request: Request & ProtectedRequest, response) => {
  response.json({ for: request.auth?.subject })
})
`

describe('the package that is published', () => {
  const folder = temporaryFolder('sdk-package')
  const consumer = join(folder, 'consumer')
  const installed = join(consumer, 'node_modules')
  let embedded: Embedded
  let token: string

  const link = (name: string): void => {
    mkdirSync(join(installed, name, '..'), { recursive: true })
    symlinkSync(join(repositoryRoot, 'node_modules', name), join(installed, name))
  }
  const read = (name: string): string => readFileSync(join(installed, '@countersign/sdk', name), 'utf8')
  const manifest = () => JSON.parse(read('package.json'))
  /** What the compiler has to say about a program. */
  function check(name: string, text: string, types: string[]): string {
    writeFileSync(join(consumer, name), text)
    const compilerOptions = {
      strict: true,
      target: 'es2022',
      module: 'nodenext',
      moduleResolution: 'nodenext',
      outDir: 'out',
      types,
    }
    // The types of Node and Express are not ours to check.
    const options = {
      ...compilerOptions,
      skipLibCheck: types.length > 0,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
    }
    writeFileSync(join(consumer, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: [name] }))
    const compiler = join(repositoryRoot, 'node_modules/typescript/bin/tsc')
    return spawnSync(process.execPath, [compiler, '-p', consumer], { encoding: 'utf8' }).stdout
  }

  beforeAll(async () => {
    const built = join(folder, 'built')
    execFileSync(process.execPath, [join(repositoryRoot, 'tools/build-sdk.mjs'), '--out', built], { stdio: 'inherit' })
    execFileSync('npm', ['pack', '--offline', '--silent', '--pack-destination', folder], { cwd: built })
    const [archive] = readdirSync(folder).filter((name) => name.endsWith('.tgz'))
    mkdirSync(join(installed, '@countersign/sdk'), { recursive: true })
    const target = join(installed, '@countersign/sdk')
    execFileSync('tar', ['-xzf', join(folder, archive!), '-C', target, '--strip-components', '1'])
    writeFileSync(join(consumer, 'package.json'), '{ "type": "module" }')
    for (const name of Object.keys(manifest().dependencies)) link(name)
    embedded = await startEmbedded()
    token = await new MainJob(embedded).token()
  })
  afterAll(async () => {
    await embedded?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  test('has what it says, and needs two packages', () => {
    const { name, version, exports, engines, dependencies, private: isPrivate } = manifest()
    expect({ name, engines, isPrivate }).toEqual({
      name: '@countersign/sdk',
      engines: { node: '>=20' },
      isPrivate: undefined,
    })
    expect(version).toMatch(/^\d+\.\d+\.\d+$/)
    expect(Object.keys(exports)).toEqual(['.', './express'])
    for (const { types, default: code } of Object.values<{ types: string; default: string }>(exports)) {
      expect(read(types)).toMatch(/export/)
      expect(read(code)).toMatch(/export/)
    }
    expect(Object.keys(dependencies)).toEqual(['@grpc/grpc-js', '@bufbuild/protobuf'])
    for (const wanted of Object.values(dependencies)) expect(wanted).toMatch(/^\d+\.\d+\.\d+$/)
    expect(read('LICENSE')).toMatch(/Apache License/)
    expect(read('README.md')).toMatch(/createVerifier/)
    expect(read('README.md')).not.toMatch(/\]\((?!https?:|#)/)
  })

  test('knows nothing of where it was made', () => {
    for (const name of readdirSync(join(installed, '@countersign/sdk'))) {
      expect(read(name)).not.toContain(repositoryRoot)
      if (name.endsWith('.js')) expect(read(name)).not.toMatch(/from "@countersign\//)
    }
  })

  test('has types that stand by themselves', () => {
    // The only thing of Node's that the program itself uses.
    const surroundings =
      'declare const process: { argv: string[] }\ndeclare const console: { log(text: string): void }\n'
    expect(check('program.ts', `${surroundings}${program}`, [])).toBe('')
  })

  test('has middleware that Express takes', () => {
    for (const name of ['express', '@types/express', '@types/node']) link(name)
    expect(check('with-express.ts', withExpress, ['node'])).toBe('')
  })

  test.each(nodes())('runs under Node %s', (_, node) => {
    const { grpcTarget, secrets } = embedded
    const args = [join(consumer, 'out/program.js'), grpcTarget, secrets['reports-api'], token]
    const { stdout, stderr, status } = spawnSync(node, args, { encoding: 'utf8', timeout: 20_000 })
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 })
    expect(JSON.parse(stdout)).toEqual({
      ok: true,
      subject: 'batch',
      error: 'insufficient_scope',
      status: 503,
      hits: true,
    })
  })
})
