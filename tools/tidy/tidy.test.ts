import { describe, expect, test } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const root = fileURLToPath(new URL('../..', import.meta.url))
const own = relative(root, fileURLToPath(import.meta.url))
const git = spawnSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
const files = git.stdout.split('\n').filter((file) => file !== '' && existsSync(join(root, file)))
const isGenerated = (file: string) => file.includes('/gen/')
const sources = files.filter((file) => /\.(ts|tsx|mjs)$/.test(file) && !isGenerated(file))
const read = (file: string) => readFileSync(join(root, file), 'utf8')

const maxFileLines = 300
const maxFunctionLines = 70

function longFunctions(file: string): string[] {
  const source = ts.createSourceFile(file, read(file), ts.ScriptTarget.Latest, true)
  const found: string[] = []
  const visit = (node: ts.Node, isRoom: boolean): void => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body) {
      const first = source.getLineAndCharacterOfPosition(node.getStart()).line
      const lines = source.getLineAndCharacterOfPosition(node.end).line - first + 1
      if (lines > maxFunctionLines && !isRoom) found.push(`${file}:${first + 1} (${lines} lines)`)
    }
    // A test file's describe block is a chapter, not a function.
    const chapter = ts.isCallExpression(node) && /^describe\b/.test(node.expression.getText())
    ts.forEachChild(node, (child) => visit(child, chapter))
  }
  visit(source, false)
  return found
}

/** Relative and package imports, as files of this repository. */
function importsOf(file: string): string[] {
  const specifiers = ts.preProcessFile(read(file), true, true).importedFiles.map(({ fileName }) => fileName)
  return specifiers.flatMap((specifier) => {
    if (specifier.startsWith('.')) return [relative(root, resolve(root, dirname(file), specifier))]
    if (specifier.startsWith('@countersign/')) return exported(specifier)
    return []
  })
}

const packages = new Map(
  files
    .filter((file) => basename(file) === 'package.json' && file !== 'package.json')
    .map((file) => [JSON.parse(read(file)).name as string, { folder: dirname(file), ...JSON.parse(read(file)) }]),
)

function exported(specifier: string): string[] {
  const [scope, name, ...rest] = specifier.split('/')
  const found = packages.get(`${scope}/${name}`)
  const target = found?.exports?.[rest.length ? `./${rest.join('/')}` : '.']
  return target ? [join(found!.folder, target)] : []
}

describe('the repository', () => {
  test('has no file over 300 lines', () => {
    const long = sources.filter((file) => read(file).split('\n').length - 1 > maxFileLines)
    expect(long).toEqual([])
  })

  test('has no function over 70 lines', () => {
    expect(sources.flatMap(longFunctions)).toEqual([])
  })

  test('has no naked TODO', () => {
    const naked = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME'].join('|')})\\b`)
    expect(sources.filter((file) => file !== own && naked.test(read(file)))).toEqual([])
  })

  test('names every folder by its noun', () => {
    const banned = /(^|\/)(utils?|common|shared|helpers?|misc)(\/|$)/
    expect(files.filter((file) => banned.test(dirname(file)))).toEqual([])
  })

  test('has no skipped or narrowed test', () => {
    const narrowed = /\b(test|it|describe)\.(skip|only|todo)\b|\bx(it|describe)\(/
    expect(sources.filter((file) => file !== own && narrowed.test(read(file)))).toEqual([])
  })

  test('has no file that nothing uses', () => {
    const used = new Set(sources.flatMap(importsOf))
    const isEntry = (file: string) =>
      /\.test\.ts$/.test(file) ||
      /(^|\/)(main|index|generate)\.ts$/.test(file) ||
      !/^(libs|apps|bench\/src)\//.test(file)
    const named = files.filter((file) => /(\.json|\.ya?ml|Dockerfile|\.mjs|\.md)$/.test(file)).map(read)
    // Processes that tests and benchmarks start are named, not imported.
    const isNamed = (file: string) =>
      [...named, ...sources.map(read)].some(
        (text) => text.includes(basename(file)) && !text.includes(`from './${basename(file)}'`),
      )
    const dead = sources.filter((file) => !isEntry(file) && !used.has(file) && !isNamed(file))
    expect(dead).toEqual([])
  })

  test('lets a service see ports, never an adapter, and never another service', () => {
    const allowed =
      /^@countersign\/(contracts(\/\w+)?|store|bus|tokens(\/keys)?|accounts|leased-cache|chassis(\/\w+)?)$/
    const imports = sources
      .filter(
        (file) =>
          file.startsWith('libs/services/') && !file.endsWith('.test.ts') && !/\/(conformance|testing)\//.test(file),
      )
      .flatMap((file) =>
        ts.preProcessFile(read(file), true, true).importedFiles.map(({ fileName }) => ({ file, fileName })),
      )
    const foreign = imports.filter(({ fileName }) => fileName.startsWith('@countersign/') && !allowed.test(fileName))
    expect(foreign).toEqual([])
  })
})
