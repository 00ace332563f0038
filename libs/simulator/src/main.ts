import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { runFleet } from './fleet.ts'
import type { Totals } from './figures.ts'
import { mutants, type Mutant } from './mutants.ts'
import { mutate } from './mutate.ts'

const help = `npm run simulate -- [--seeds N] [--from S] [--workers W] [--json]
                       [--seed S [--trace]] [--mutant NAME|all]

Runs simulated worlds: the real caches, services, SDK and relay, with clocks, a network, a bus and a store that fail.
Fails when any token is answered active for a request that began more than B after its revocation was acknowledged,
when a good token is refused, when anything does not work again once the faults are over, or when an event is lost.

  --seeds N      worlds to run (1000)
  --from S       the first seed (1)
  --workers W    processes (one for each core)
  --seed S       this world alone, twice; with --trace all that happens in it
  --mutant NAME  with one rule of the protocol switched off, until that is found out; all: each in turn
  --json         figures as JSON

Mutants:
${mutants.map(({ name, why }) => `  ${name}: ${why}`).join('\n')}
`

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    workers: { type: 'string', default: String(availableParallelism()) },
    seed: { type: 'string' },
    trace: { type: 'boolean', default: false },
    mutant: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

const say = (text: string): void => void process.stdout.write(`${text}\n`)
const tell = (text: string): void => void process.stderr.write(text)

function whole(name: 'seeds' | 'from' | 'workers' | 'seed', least: number): number {
  const number = Number(values[name])
  if (Number.isSafeInteger(number) && number >= least) return number
  tell(`simulate: --${name} must be a whole number from ${least}\n`)
  process.exit(2)
}

/** Several processes' worth of worlds, with progress on a terminal. */
async function run(seeds: number, mutant?: string): Promise<Totals & { seconds: number }> {
  const began = performance.now()
  const onProgress = ({ worlds, failed }: Totals): void => {
    const perSecond = Math.round((1_000 * worlds) / (performance.now() - began))
    if (process.stderr.isTTY) tell(`\r${worlds} of ${seeds} worlds, ${perSecond}/s, ${failed.length} failed `)
  }
  const options = { from: whole('from', 0), seeds, workers: whole('workers', 1), mutant, onProgress }
  const totals = await runFleet({ ...options, worldsPerJob: mutant ? 20 : 50, stopsEarly: mutant !== undefined })
  if (process.stderr.isTTY) tell('\r\x1b[K')
  return { ...totals, seconds: (performance.now() - began) / 1_000 }
}

const replay = (seed: number, mutant?: string): string =>
  `npm run simulate -- --seed ${seed} --trace${mutant === undefined ? '' : ` --mutant ${mutant}`}`

function report({
  worlds,
  events,
  virtualMs,
  figures,
  faults,
  violations,
  failed,
  seconds,
}: Awaited<ReturnType<typeof run>>) {
  const list = (counts: object) =>
    Object.entries(counts)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ') || 'none'
  say(
    `worlds         ${worlds} in ${seconds.toFixed(1)} s, ${(worlds / seconds).toFixed(1)}/s; ${events} events, ${Math.round(virtualMs / 3_600_000)} h simulated`,
  )
  say(`figures        ${list(figures)}`)
  say(`faults         ${list(faults)}`)
  say(`violations     ${list(violations)}`)
  for (const { seed, violations: found } of failed.slice(0, 20)) {
    for (const { kind, text } of found) say(`  seed ${seed}: ${kind}: ${text}`)
    say(`  again: ${replay(seed)}`)
  }
}

/** One world, twice: the second must be the same as the first. */
async function runOne(seed: number, mutant: Mutant | undefined): Promise<number> {
  const check = mutant && mutate(mutant)
  const { layFoundations, runWorld } = await import('./world.ts')
  check?.()
  const foundations = await layFoundations()
  const line = values.trace ? (atMs: number, text: string) => say(`${atMs.toFixed(3).padStart(12)} ${text}`) : undefined
  const first = await runWorld(seed, foundations, line)
  const second = await runWorld(seed, foundations)
  if (values.json) say(JSON.stringify(first, undefined, 2))
  else {
    for (const { kind, atMs, text } of first.violations) say(`${atMs.toFixed(3)} ${kind}: ${text}`)
    say(`seed ${seed}: ${first.violations.length} violations; trace ${first.hash}, again ${second.hash}`)
  }
  if (first.hash !== second.hash) tell('simulate: the two runs are not the same\n')
  return first.violations.length > 0 || first.hash !== second.hash ? 1 : 0
}

async function runMutants(seeds: number): Promise<number> {
  const rows: { mutant: string; worlds: number | null; violation: string }[] = []
  for (const { name } of mutants) {
    const { failed } = await run(seeds, name)
    const [first] = failed
    const worlds = first ? first.seed - whole('from', 0) + 1 : null
    rows.push({ mutant: name, worlds, violation: first?.violations[0]?.kind ?? 'survived' })
    if (!values.json) say(`${name.padEnd(42)} ${String(worlds ?? 'survived').padStart(8)} ${rows.at(-1)!.violation}`)
  }
  if (values.json) say(JSON.stringify(rows, undefined, 2))
  return rows.some(({ worlds }) => worlds === null) ? 1 : 0
}

async function main(): Promise<number> {
  if (values.help) {
    say(help)
    return 0
  }
  const { mutant } = values
  const known = mutants.find(({ name }) => name === mutant)
  if (mutant !== undefined && mutant !== 'all' && !known) {
    tell(`simulate: there is no mutant ${mutant}; --help lists them\n`)
    return 2
  }
  const seeds = whole('seeds', 1)
  if (mutant === 'all') return runMutants(seeds)
  if (values.seed !== undefined) return runOne(whole('seed', 0), known)
  const totals = await run(seeds, mutant)
  if (values.json) say(JSON.stringify(totals, undefined, 2))
  else report(totals)
  return totals.failed.length > 0 ? 1 : 0
}

process.exitCode = await main()
