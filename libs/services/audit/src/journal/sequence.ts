import type { Gap } from './port.ts'

/** The part of a gap that is the same for all of one partition's history. */
export type Hole = Omit<Gap, 'partition' | 'epoch'>

export interface SequenceState {
  /** The highest sequence number seen; 0 before the first. */
  highest: number
  holes: Hole[]
}

/**
 * What becomes of a partition's sequence when these numbers arrive: those beyond the highest open holes, the others
 * fill them. A piece of a hole keeps its name and its age.
 */
export function arrive(state: SequenceState, sequences: number[], at: number): SequenceState {
  let { highest } = state
  let holes = state.holes
  for (const sequence of sequences.toSorted((a, b) => a - b)) {
    if (sequence <= highest) {
      holes = holes.flatMap((hole) => without(hole, sequence))
      continue
    }
    if (sequence > highest + 1)
      holes = [...holes, { first: highest + 1, last: sequence - 1, since: at, openedBy: sequence }]
    highest = sequence
  }
  return { highest, holes }
}

function without(hole: Hole, sequence: number): Hole[] {
  if (sequence < hole.first || sequence > hole.last) return [hole]
  const pieces = [
    { ...hole, last: sequence - 1 },
    { ...hole, first: sequence + 1 },
  ]
  return pieces.filter(({ first, last }) => first <= last)
}
