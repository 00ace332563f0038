import type { Millis, Partition } from '@countersign/contracts'
import { emptyCommit, type Commit } from '@countersign/store'
import { eventOf, type Asker, type Told } from './told.ts'

/** What every decision is made with: its commit's id, who asked, and when. */
export interface Deciding {
  /** 32 hex digits, random. */
  readonly commitId: string
  readonly asker: Asker
  readonly now: Millis
}

export const beginCommit = ({ commitId }: Pick<Deciding, 'commitId'>, partition: Partition): Commit =>
  emptyCommit(commitId, partition)
/** Adds an event to a commit. */
export function tell(commit: Commit, { asker, now }: Deciding, told: Omit<Told, 'partition'>): void {
  commit.events.push(eventOf(commit.id, commit.events.length, asker, now, { ...told, partition: commit.partition }))
}

/** A scope parameter as events list it. */
export const scopesOf = (scope: string): string[] => (scope === '' ? [] : scope.split(' '))
