import type { Context } from './context.ts'
import type { Outcome } from './contender.ts'

/** One thing that is measured, on its own. */
export interface Suite {
  name: string
  /** One line for the help text. */
  about: string
  run(context: Context): Promise<Omit<Outcome, 'suite'>>
}
