import type { Partition } from '@countersign/contracts'
import type { Asker as AskerMessage, Next, SessionName } from '@countersign/contracts/authorization'
import { ActorKind } from '@countersign/contracts/events'
import type { Commit, Key, Store } from '@countersign/store'
import type { Asker, Client, Deciding } from '@countersign/tokens'
import type { BrowserSession } from './state.ts'

/** What is to be done for an errand: show something, or write something and be done. */
export type Plan =
  | { readonly kind: 'show'; readonly next: Next['next'] }
  | {
      readonly kind: 'finish'
      /** Made before the other one, where the errand is in another partition: it conflicts when the errand is over. */
      readonly claim: Commit | undefined
      readonly commit: Commit
      readonly next: Next['next']
    }

/** One kind of errand that a browser comes with. All throw Failure `not_found` for one that is over. */
export interface Desk {
  /** What {@link plan} reads of somebody who is signed in, as far as an id tells it; for whoever reads it together with something else. */
  keysOf(id: string, partition: Partition, subject: string): Key[]
  /**
   * What is next. `commit` begins a commit in the browser's partition: a fresh one, or one that something else goes into, too.
   * @param reader what the store says; see {@link readAhead}
   */
  plan(
    id: string,
    browser: BrowserSession | undefined,
    by: Deciding,
    commit: Commit,
    reader?: Pick<Store, 'get'>,
  ): Promise<Plan>
  agree(id: string, browser: BrowserSession, scopes: readonly string[], by: Deciding, commit: Commit): Promise<Plan>
  deny(
    id: string,
    refusal: { error: string; description: string },
    browser: BrowserSession | undefined,
    by: Deciding,
  ): Promise<Plan>
}

/** Whoever sits at the browser, as events tell it. */
export const personAsker = (asker: Omit<AskerMessage, 'operatorId'> | undefined, subject: string): Asker => ({
  kind: ActorKind.PERSON,
  id: subject,
  address: asker?.address ?? '',
  userAgent: asker?.userAgent ?? '',
  traceparent: asker?.traceparent ?? '',
})

/** An operator, where one acts in the person's stead. */
export const actorAsker = (asker: AskerMessage | undefined, subject: string): Asker => {
  const person = personAsker(asker, subject)
  return asker && asker.operatorId !== '' ? { ...person, kind: ActorKind.OPERATOR, id: asker.operatorId } : person
}

export const clientInformation = (client: Client) => ({
  id: client.id,
  name: client.name,
  uri: client.uri,
  logoUri: client.logoUri,
  policyUri: client.policyUri,
  tosUri: client.tosUri,
  registeredItself: client.registeredItself,
})

export const nameOf = ({ partition, session }: BrowserSession): SessionName => ({ partition, id: session.record.id })
