// Checks the model of the revocation protocol (docs/verification) with Spin: node tools/model/check.mjs [--story] [NAME…]
// Exits 0 when everything is as expected, 1 when not, 77 when Spin or a C compiler is missing.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { checks } from './checks.mjs'

const model = fileURLToPath(new URL('../../docs/verification/lease.pml', import.meta.url))
const isMissing = 77
const checkWithinMs = 300_000
/** Steps in the longest path that is followed; one that is longer is told, and is a failure. */
const deepest = 1_000_000
/** Of an error that nobody expected, which is not the shortest. */
const lastSteps = 100

function run(folder, program, args) {
  const options = { cwd: folder, encoding: 'utf8', timeout: checkWithinMs, maxBuffer: 64 * 1024 * 1024 }
  const { status, stdout, stderr, error } = spawnSync(program, args, options)
  if (error) throw new Error(`${program}: ${error.message}`)
  return { status, text: stdout + stderr }
}

function build(folder, { size, holds }) {
  const defines = Object.entries(size).map(([name, value]) => `-D${name}=${value}`)
  const made = run(folder, 'spin', ['-a', ...defines, model])
  if (made.status !== 0) throw new Error(made.text)
  // The shortest error is found by going through the world in breadth.
  const search = holds ? ['-O2'] : ['-O1', '-DBFS']
  const built = run(folder, 'gcc', [...search, '-DSAFETY', '-DNOREDUCE', '-w', '-o', 'pan', 'pan.c'])
  if (built.status !== 0) throw new Error(`${built.text}\n(with gcc, libc6-dev is needed)`)
  return defines
}

/** The steps of the error that was found. */
function storyOf(folder, defines) {
  const { text } = run(folder, 'spin', ['-t', '-T', '-k', 'lease.pml.trail', ...defines, model])
  const lines = text.split('\n')
  const end = lines.findIndex((line) => line.startsWith('spin: '))
  return lines.slice(0, end).map((line) => line.trim())
}

/** Whether the expected steps are among those told, in this order. */
function isTold(steps, story) {
  let from = 0
  return steps.every((step) => {
    const found = story.findIndex(
      (line, at) => at >= from && (step instanceof RegExp ? step.test(line) : step === line),
    )
    from = found + 1
    return found !== -1
  })
}

function judge(check) {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-model-'))
  try {
    const defines = build(folder, check)
    const begun = performance.now()
    const { text } = run(folder, join(folder, 'pan'), [`-m${deepest}`, check.holds ? '-w24' : '-w20'])
    const seconds = (performance.now() - begun) / 1_000
    const errors = Number(/errors: (\d+)/.exec(text)?.[1])
    const states = Number(/(\d+) states, stored/.exec(text)?.[1])
    if (!(states > 0) || !(errors >= 0)) throw new Error(text)
    const isWhole = !/max search depth too small|Search not completed|out of memory/.test(text)
    const story = errors > 0 ? storyOf(folder, defines) : []
    const isExpected = check.holds ? errors === 0 && isWhole : errors > 0 && isTold(check.steps, story)
    const found = errors > 0 ? `error after ${story.length} steps` : isWhole ? 'no error' : 'not searched to the end'
    return { states, seconds, isExpected, found, story, defines }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const missing = ['spin', 'gcc'].filter((program) => spawnSync(program, ['--version'], { stdio: 'ignore' }).error)
if (missing.length > 0) {
  console.error(`missing: ${missing.join(', ')}. On Debian and Ubuntu: apt-get install spin gcc libc6-dev`)
  process.exit(isMissing)
}

const words = process.argv.slice(2)
const tellsStory = words.includes('--story')
const wanted = words.filter((word) => word !== '--story')
const chosen = checks.filter(({ name }) => wanted.length === 0 || wanted.some((word) => name.includes(word)))
if (chosen.length === 0) {
  console.error(`no check is called ${wanted.join(' or ')}`)
  process.exit(1)
}
console.log(`${'check'.padEnd(40)}${'states'.padStart(12)}${'seconds'.padStart(10)}  found`)
let unexpected = 0
for (const check of chosen) {
  const { states, seconds, isExpected, found, story, defines } = judge(check)
  if (!isExpected) unexpected++
  const figures = `${states.toLocaleString('en').padStart(12)}${seconds.toFixed(1).padStart(10)}`
  console.log(`${check.name.padEnd(40)}${figures}  ${found}${isExpected ? '' : ' — NOT AS EXPECTED'}`)
  if (!isExpected) console.log(`  spin -a ${defines.join(' ')} docs/verification/lease.pml`)
  if (tellsStory || !isExpected) for (const line of story.slice(-lastSteps)) console.log(`    ${line}`)
}
console.log(unexpected === 0 ? 'everything as expected' : `${unexpected} not as expected`)
process.exit(unexpected === 0 ? 0 : 1)
