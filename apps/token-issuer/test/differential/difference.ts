import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { repositoryRoot } from '@countersign/servers'
import type { Outcome } from './outcome.ts'

/** A row of `docs/differences.md`. */
export interface Difference {
  request: string
  countersign: Outcome
  peer: Outcome
  /** What decides it. */
  source: string
}

const bare = (cell: string): string => cell.trim().replaceAll('`', '')

export function readDifferences(): Difference[] {
  const lines = readFileSync(join(repositoryRoot, 'docs/differences.md'), 'utf8').split('\n')
  const rows = lines.filter((line) => /^\| `/.test(line)).map((line) => line.split('|').slice(1, -1))
  return rows.map(([request = '', countersign = '', peer = '', source = '']) => ({
    request: bare(request),
    countersign: bare(countersign),
    peer: bare(peer),
    source: source.trim(),
  }))
}
