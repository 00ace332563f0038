export type { Figures, Violation } from './checker.ts'
export type { FaultKind } from './faults.ts'
export { layFoundations, runWorld, type Foundations, type WorldResult } from './world.ts'
