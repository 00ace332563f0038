import { parseArgs } from 'node:util'
import { limits } from './limits.ts'

export interface BenchArguments {
  suites: string[]
  seconds: number
  /** Undefined: each suite's own. */
  concurrency: number | undefined
  rounds: number
  tokens: number
  /** Where the figures go as JSON. */
  json: string | undefined
  help: boolean
}

const options = {
  seconds: { type: 'string' },
  concurrency: { type: 'string' },
  rounds: { type: 'string' },
  tokens: { type: 'string' },
  json: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const

function wholeNumber(name: string, given: string, { least, most }: { least: number; most: number }): number {
  const value = /^\d+$/.test(given) ? Number(given) : NaN
  if (value >= least && value <= most) return value
  throw new RangeError(`--${name} takes a whole number from ${least} to ${most}, not '${given}'`)
}

/**
 * Reads the command line.
 * @param known names of all suites, in the order they run
 * @throws Error whose message tells the user what to mend
 */
export function readArguments(args: readonly string[], known: readonly string[]): BenchArguments {
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true, strict: true })
  const unknown = positionals.filter((name) => !known.includes(name))
  if (unknown.length > 0) throw new RangeError(`no suite '${unknown.join("', '")}': there are ${known.join(', ')}`)
  if (values.json === '') throw new RangeError('--json takes a file name')
  const number = (name: 'seconds' | 'rounds' | 'tokens') =>
    values[name] === undefined ? limits[name].usual : wholeNumber(name, values[name], limits[name])
  const { concurrency } = values
  return {
    suites: positionals.length === 0 ? [...known] : known.filter((name) => positionals.includes(name)),
    seconds: number('seconds'),
    rounds: number('rounds'),
    tokens: number('tokens'),
    concurrency: concurrency === undefined ? undefined : wholeNumber('concurrency', concurrency, limits.concurrency),
    json: values.json,
    help: values.help ?? false,
  }
}

/** @param suites name and one line about each */
export function helpText(suites: readonly { name: string; about: string }[]): string {
  const width = Math.max(...suites.map(({ name }) => name.length))
  return `npm run bench -- [SUITE…] [options]

Runs Countersign and what it is compared with in turn, in one run. Without SUITE: all of them.

Suites
${suites.map(({ name, about }) => `  ${name.padEnd(width)}  ${about}`).join('\n')}

Options
  --seconds N      seconds of one round (${limits.seconds.usual})
  --rounds N       rounds of each; median and spread are reported (${limits.rounds.usual})
  --concurrency N  connections (HTTP, ${limits.httpConnections}), calls (gRPC, ${limits.grpcCalls}) or batches (${limits.grpcBatches}) at once
  --tokens N       tokens that memory-per-token fills in (${limits.tokens.usual})
  --json FILE      write the figures to FILE as well
  --help           this

Exit code: 0 measured, 1 a wrong answer or a failure, 2 a mistake in the arguments, 130 stopped.`
}
