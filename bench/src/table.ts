import type { Measured, Outcome, Round } from './contender.ts'
import { limits } from './limits.ts'
import { verdictsOf } from './results.ts'
import { median, spreadPercent } from './statistics.ts'

const headings = ['', 'per second', '±', 'p50 ms', 'p99 ms', 'resident', 'peak MiB', 'errors', 'cores busy']

const number = (value: number, digits = 0) =>
  value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })

/** The median of what every round has; a dash when one lacks it. */
function middle(rounds: readonly Round[], pick: (round: Round) => number | undefined, digits = 0): string {
  const values = rounds.map(pick).filter((value) => value !== undefined)
  return values.length === rounds.length && values.length > 0 ? number(median(values), digits) : '–'
}

function coresOf(rounds: readonly Round[]): string {
  const names = Object.keys(rounds[0]?.cores ?? {})
  return names.map((name) => `${name} ${middle(rounds, (round) => round.cores[name], 2)}`).join(', ')
}

function line({ name, unit, rounds }: Measured): string[] {
  const rates = rounds.map((round) => round.perSecond)
  return [
    name,
    `${number(median(rates))} ${unit}`,
    `${number(spreadPercent(rates), 1)} %`,
    middle(rounds, (round) => round.p50Ms, 2),
    middle(rounds, (round) => round.p99Ms, 2),
    middle(rounds, (round) => round.residentMib),
    middle(rounds, (round) => round.peakMib),
    number(rounds.reduce((sum, round) => sum + round.errors, 0)),
    coresOf(rounds),
  ]
}

/** Says so when something else was running: then it is not only the contenders that are measured. */
function disturbance(measured: readonly Measured[]): string[] {
  const others = measured.flatMap(({ rounds }) => rounds.map(({ cores }) => cores.others ?? 0))
  const most = Math.max(0, ...others)
  if (most <= limits.othersCores) return []
  return [`  ! other processes kept up to ${number(most, 2)} processors busy: these figures are worth little`]
}

/** What a suite found, for people: a table, then ratios with a mark for good enough. */
export function tableOf(outcome: Outcome): string {
  const cells = outcome.measured.length === 0 ? [] : [headings, ...outcome.measured.map(line)]
  const widths = headings.map((_, column) => Math.max(0, ...cells.map((row) => row[column]!.length)))
  const isText = (column: number) => column === 0 || column === headings.length - 1
  const pad = (cell: string, column: number) =>
    isText(column) ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)
  const rows = cells.map((row) => `  ${row.map(pad).join('  ').trimEnd()}`)
  const mark = (good: boolean | undefined) => (good === undefined ? '·' : good ? '✓' : '✗')
  const verdicts = verdictsOf(outcome).map(({ text, good }) => `  ${mark(good)} ${text}`)
  return [outcome.suite, ...rows, ...verdicts, ...disturbance(outcome.measured)].join('\n')
}
