import type { Reply } from '@countersign/servers'
import { replied, type Outcome } from './outcome.ts'
import type { Side } from './side.ts'

/** Requests by what they are, and how each is made of one server. */
export type Requests = Readonly<Record<string, (side: Side) => Promise<Outcome>>>

/** Requests of an endpoint that clients call. */
export const calls = (given: Readonly<Record<string, (side: Side) => Promise<Reply>>>): Requests =>
  Object.fromEntries(Object.entries(given).map(([name, make]) => [name, async (side) => replied(await make(side))]))
