import { describe, expect, test } from '@jest/globals'
import type { Measured, Outcome } from './contender.ts'
import { rowsOf, verdictsOf } from './results.ts'
import { tableOf } from './table.ts'

const measured = (name: string, rates: number[]): Measured => ({
  name,
  unit: 'tokens/s',
  rounds: rates.map((perSecond) => ({
    ...{ perSecond, p50Ms: 1, p99Ms: 4, errors: 0, residentMib: 100, peakMib: 120 },
    cores: { server: 0.5, generator: 0.25 },
  })),
})

const outcome: Outcome = {
  suite: 'issue',
  measured: [measured('countersign', [900, 1_000, 1_100]), measured('peer', [480, 500, 490])],
  comparisons: [{ metric: 'issue', contender: 'countersign', baseline: 'peer', target: 2 }],
  figures: [{ metric: 'backlog', unit: 'events', value: 7, good: true, bound: 'does not grow' }],
}

describe('the results', () => {
  test('hold the rate with its ratio to the baseline and its spread', () => {
    expect(rowsOf(outcome)[0]).toEqual({
      ...{ suite: 'issue', metric: 'issue', unit: 'tokens/s', value: 1_000 },
      ...{ baseline: 'peer', baseline_value: 490, ratio: 1_000 / 490, spread: 10 },
    })
  })

  test('hold times, memory, server time, errors and plain figures', () => {
    const rows = rowsOf(outcome)
    expect(rows.map(({ metric }) => metric)).toEqual([
      ...['issue', 'issue p50', 'issue p99', 'issue server time', 'issue resident memory', 'issue peak memory'],
      ...['issue errors', 'backlog'],
    ])
    expect(rows[3]).toMatchObject({ unit: 'µs/token', value: 500 })
    expect(rows.at(-1)).toMatchObject({ value: 7, baseline: null, ratio: null })
  })

  test('leave out what the system does not tell', () => {
    const blind = measured('countersign', [1])
    blind.rounds[0]!.residentMib = undefined
    const rows = rowsOf({ ...outcome, measured: [blind, measured('peer', [1])] })
    expect(rows.map(({ metric }) => metric)).not.toContain('issue resident memory')
  })

  test('say whether a target is met', () => {
    expect(verdictsOf(outcome)).toEqual([
      { text: 'issue: 2.04 × peer (target ≥ 2)', good: true },
      { text: 'backlog: 7 events (does not grow)', good: true },
    ])
    const slower = { ...outcome, measured: [measured('countersign', [900]), measured('peer', [490])] }
    expect(verdictsOf(slower)[0]!.good).toBe(false)
  })

  test('fail loudly when a comparison names what was not measured', () => {
    expect(() => rowsOf({ ...outcome, measured: [] })).toThrow('countersign')
  })

  test('warn when other processes took part', () => {
    const disturbed = measured('countersign', [1_000])
    disturbed.rounds[0]!.cores = { server: 0.5, others: 0.8 }
    expect(tableOf({ ...outcome, measured: [disturbed], comparisons: [] })).toContain('0.80 processors busy')
    expect(tableOf(outcome)).not.toContain('worth little')
  })

  test('make a table with a line for each and a mark for each verdict', () => {
    const lines = tableOf(outcome).split('\n')
    expect(lines[2]).toMatch(/countersign +1,000 tokens\/s +10\.0 % .*server 0\.50, generator 0\.25/)
    expect(lines[4]).toBe('  ✓ issue: 2.04 × peer (target ≥ 2)')
  })
})
