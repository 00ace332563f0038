import type { Comparison, Figure, Measured, Outcome, Round } from './contender.ts'
import { median, spreadPercent } from './statistics.ts'

/** One figure, as written with `--json`. */
export interface Row {
  suite: string
  metric: string
  unit: string
  value: number
  baseline: string | null
  baseline_value: number | null
  /** value / baseline_value: for rates more is better, for times and memory less. */
  ratio: number | null
  /** ± per cent of value: half of the way from its least to its most round. */
  spread: number
}

type Pick = (round: Round) => number | undefined

/** Microseconds of processor time that the serving process takes for one unit: what remains when the generator is the limit. */
const serverMicros: Pick = ({ cores, perSecond }) => {
  const server = Object.values(cores)[0]
  return server === undefined || perSecond === 0 ? undefined : (server / perSecond) * 1e6
}

const perRound: { suffix: string; unit: (unit: string) => string; pick: Pick }[] = [
  { suffix: '', unit: (unit) => unit, pick: (round) => round.perSecond },
  { suffix: ' p50', unit: () => 'ms', pick: (round) => round.p50Ms },
  { suffix: ' p99', unit: () => 'ms', pick: (round) => round.p99Ms },
  { suffix: ' server time', unit: (unit) => `µs/${unit.replace(/s\/s$/, '')}`, pick: serverMicros },
  { suffix: ' resident memory', unit: () => 'MiB', pick: (round) => round.residentMib },
  { suffix: ' peak memory', unit: () => 'MiB', pick: (round) => round.peakMib },
]

function valuesOf(measured: Measured, pick: Pick): number[] | undefined {
  const values = measured.rounds.map(pick)
  return values.every((value) => value !== undefined) ? values : undefined
}

const ratioOf = (value: number, baseline: number | undefined) => (baseline ? value / baseline : null)

function find(measured: readonly Measured[], name: string): Measured {
  const found = measured.find((candidate) => candidate.name === name)
  if (!found) throw new RangeError(`nothing was measured of ${name}`)
  return found
}

function comparisonRows(suite: string, all: readonly Measured[], { metric, contender, baseline }: Comparison): Row[] {
  const ours = find(all, contender)
  const theirs = baseline === undefined ? undefined : find(all, baseline)
  const rows = perRound.flatMap(({ suffix, unit, pick }): Row[] => {
    const values = valuesOf(ours, pick)
    if (!values) return []
    const value = median(values)
    const others = theirs && valuesOf(theirs, pick)
    const other = others && median(others)
    return [
      {
        ...{ suite, metric: metric + suffix, unit: unit(ours.unit), value },
        ...{ baseline: baseline ?? null, baseline_value: other ?? null, ratio: ratioOf(value, other) },
        spread: spreadPercent(values),
      },
    ]
  })
  const errors = (of: Measured) => of.rounds.reduce((sum, round) => sum + round.errors, 0)
  const other = theirs ? errors(theirs) : null
  const counted = { value: errors(ours), baseline: baseline ?? null, baseline_value: other, ratio: null, spread: 0 }
  return [...rows, { suite, metric: `${metric} errors`, unit: 'answers', ...counted }]
}

const figureRow = (suite: string, figure: Figure): Row => ({
  suite,
  metric: figure.metric,
  unit: figure.unit,
  value: figure.value,
  baseline: figure.baseline ?? null,
  baseline_value: figure.baselineValue ?? null,
  ratio: ratioOf(figure.value, figure.baselineValue),
  spread: figure.spread ?? 0,
})

/** Everything a suite found, as rows. */
export const rowsOf = ({ suite, measured, comparisons, figures }: Outcome): Row[] => [
  ...comparisons.flatMap((comparison) => comparisonRows(suite, measured, comparison)),
  ...figures.map((figure) => figureRow(suite, figure)),
]

export interface Verdict {
  text: string
  good: boolean | undefined
}

/** Each comparison and figure in a line, and whether it is good enough. */
export function verdictsOf({ measured, comparisons, figures }: Outcome): Verdict[] {
  const compared = comparisons.flatMap(({ metric, contender, baseline, target }): Verdict[] => {
    if (baseline === undefined) return []
    const rate = (name: string) => median(find(measured, name).rounds.map((round) => round.perSecond))
    const ratio = rate(contender) / rate(baseline)
    const wanted = target === undefined ? '' : ` (target ≥ ${target})`
    const text = `${metric}: ${ratio.toFixed(2)} × ${baseline}${wanted}`
    return [{ text, good: target === undefined ? undefined : ratio >= target }]
  })
  const plain = figures.map((figure): Verdict => {
    const value = figure.value.toLocaleString('en', { maximumFractionDigits: 2 })
    const against = figure.baselineValue === undefined ? '' : `, ${figure.baseline} ${figure.baselineValue.toFixed(2)}`
    const bound = figure.bound === undefined ? '' : ` (${figure.bound})`
    return { text: `${figure.metric}: ${value} ${figure.unit}${against}${bound}`, good: figure.good }
  })
  return [...compared, ...plain]
}
