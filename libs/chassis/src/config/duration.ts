import { text } from './leaf.ts'

const unitsMs = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 } as const

/** Milliseconds as they are written in the file: `90s`, `5m`. */
export function writeDuration(durationMs: number): string {
  const [unit, unitMs] = Object.entries(unitsMs).find(
    ([, unitMs]) => durationMs >= unitMs && durationMs % unitMs === 0,
  ) ?? ['s', 1]
  return `${durationMs / unitMs}${unit}`
}

/** `30s`, `5m`, `12h`, `30d`, `250ms`, as milliseconds. */
export function duration({ least, most }: { readonly least: number; readonly most: number }) {
  const expected = `a duration such as 30s, 12h or 30d, from ${writeDuration(least)} to ${writeDuration(most)}`
  const read = (given: string): number | undefined => {
    const [, count, unit] = /^(\d{1,9})(ms|s|m|h|d)$/.exec(given) ?? []
    if (count === undefined) return undefined
    const durationMs = Number(count) * unitsMs[unit as keyof typeof unitsMs]
    return durationMs >= least && durationMs <= most ? durationMs : undefined
  }
  return text(expected, read, (given) => {
    const seconds = /^\d+$/.test(String(given)) ? `${given}s` : ''
    return read(seconds) === undefined ? undefined : seconds
  }).meta({ pattern: '^\\d{1,9}(ms|s|m|h|d)$' })
}
