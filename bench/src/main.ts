import { writeFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { helpText, readArguments, type BenchArguments } from './arguments.ts'
import { inContext } from './context.ts'
import { httpGenerator } from './http-load.ts'
import { limits } from './limits.ts'
import { rowsOf, type Row } from './results.ts'
import { suites } from './suites/index.ts'
import { tableOf } from './table.ts'

const tell = (line: string) => process.stderr.write(`${line}\n`)

async function runSuites(args: BenchArguments, signal: AbortSignal): Promise<void> {
  const { seconds, rounds } = args
  const machine = `${availableParallelism()} × ${cpus()[0]?.model ?? 'processor'}, Node ${process.version}`
  console.log(`${machine}; HTTP generator ${httpGenerator()}; median of ${rounds} × ${seconds} s, ± over the rounds\n`)
  const rows: Row[] = []
  for (const suite of suites.filter(({ name }) => args.suites.includes(name))) {
    const progress = (line: string) => tell(`${suite.name}: ${line}`)
    const found = await inContext(args, { progress, signal }, (context) => suite.run(context))
    const outcome = { suite: suite.name, ...found }
    console.log(`${tableOf(outcome)}\n`)
    rows.push(...rowsOf(outcome))
    // After each suite: what was measured is kept when a later one fails.
    if (args.json !== undefined) writeFileSync(args.json, JSON.stringify(rows, undefined, 2) + '\n')
  }
}

async function main(): Promise<number> {
  const names = suites.map(({ name }) => name)
  let args: BenchArguments
  try {
    args = readArguments(process.argv.slice(2), names)
  } catch (error) {
    tell(`bench: ${(error as Error).message}`)
    return 2
  }
  if (args.help) {
    console.log(helpText(suites))
    return 0
  }
  const stopped = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (!stopped.signal.aborted) tell('bench: stopping what was started')
      stopped.abort()
    })
  }
  try {
    await runSuites(args, stopped.signal)
    return 0
  } catch (error) {
    // Ctrl-C reaches the servers as well: that one of them has ended may be known before the signal is.
    await sleep(limits.signalMs)
    if (stopped.signal.aborted) return 130
    tell(`bench: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
    return 1
  }
}

process.exitCode = await main()
