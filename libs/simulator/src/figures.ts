import { noFigures, type Figures, type Violation } from './checker.ts'
import type { FaultKind } from './faults.ts'
import type { WorldResult } from './world.ts'

/** A world in which something was violated. */
export interface FailedWorld {
  seed: number
  violations: Violation[]
}

/** The sums over worlds. */
export interface Totals {
  worlds: number
  events: number
  virtualMs: number
  figures: Figures
  faults: Partial<Record<FaultKind, number>>
  /** By kind. */
  violations: Record<string, number>
  failed: FailedWorld[]
}

export const noTotals = (): Totals => ({
  ...{ worlds: 0, events: 0, virtualMs: 0, figures: noFigures(), faults: {}, violations: {}, failed: [] },
})

function addAll(sums: Record<string, number>, more: object): void {
  for (const [name, count] of Object.entries(more)) sums[name] = (sums[name] ?? 0) + (count as number)
}

export function addWorld(totals: Totals, { seed, events, virtualMs, figures, faults, violations }: WorldResult): void {
  addAll(totals as never, { worlds: 1, events, virtualMs })
  addAll(totals.figures as never, figures)
  addAll(totals.faults, faults)
  for (const { kind } of violations) addAll(totals.violations, { [kind]: 1 })
  if (violations.length > 0) totals.failed.push({ seed, violations: violations.slice(0, 5) })
}

export function addTotals(totals: Totals, { worlds, events, virtualMs, figures, faults, violations, failed }: Totals) {
  addAll(totals as never, { worlds, events, virtualMs })
  addAll(totals.figures as never, figures)
  addAll(totals.faults, faults)
  addAll(totals.violations, violations)
  totals.failed.push(...failed)
}
