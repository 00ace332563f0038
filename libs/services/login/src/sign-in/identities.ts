import { isDeepStrictEqual } from 'node:util'
import { hasIdentity, identityKey, withIdentity, withoutIdentity, type IdentityName } from '@countersign/accounts'
import { Failure, type Millis } from '@countersign/contracts'
import type { Asker as AskerMessage } from '@countersign/contracts/authorization'
import { ActorKind } from '@countersign/contracts/events'
import type { AccountRecord, Identity } from '@countersign/contracts/records'
import type { Asker } from '@countersign/tokens'
import type { Account, AccountDirectory } from '../account-directory.ts'
import type { UpstreamPerson } from '../upstream/flow.ts'

export interface IdentitiesOptions {
  directory: AccountDirectory
  /** Whether somebody who is new may sign in with a provider. */
  mayBegin: (provider: string) => boolean
  now: () => Millis
}

const attributesOf = ({ provider, issuer }: Pick<Identity, 'provider' | 'issuer'>) => ({ provider, issuer })

export const personAsker = ({ address, userAgent, traceparent }: AskerMessage, id: string): Asker => ({
  kind: ActorKind.PERSON,
  id,
  address,
  userAgent,
  traceparent,
})

/** Whose account the identities are that people have elsewhere. An address or a name makes nobody somebody else's account. */
export class Identities {
  readonly #options: IdentitiesOptions

  constructor(options: IdentitiesOptions) {
    this.#options = options
  }

  /**
   * The account of whoever a provider signed in; a new one for somebody new.
   * @throws Failure `access_denied` for somebody new where nobody new may begin
   */
  async accountOf(person: UpstreamPerson, asker: AskerMessage): Promise<Account> {
    const { directory, mayBegin } = this.#options
    const key = identityKey(person)
    const known = await directory.find(key)
    if (known) return this.#refreshed(known, person, asker)
    if (!mayBegin(person.provider)) {
      throw new Failure(
        'access_denied',
        'nobody here has this identity; ask for an invitation, or add it to your account',
      )
    }
    const draft = { loginName: '', claims: person.claims, identities: [this.#identityOf(person)] }
    const told = { type: 'account.created', reason: 'signed_in', attributes: attributesOf(person) } as const
    const made = await directory.make({ draft, names: [key], told }, personAsker(asker, ''))
    const account = made ?? (await directory.find(key))
    if (!account) throw new Failure('conflict', 'somebody else is doing the same; try again', { retryAfterSeconds: 1 })
    return account
  }

  /**
   * Adds an identity to the account of somebody who is signed in.
   * @returns why not, when it is another account's or this one has as many as it can have; undefined when it was there already
   */
  async link(
    account: Account,
    person: UpstreamPerson,
    asker: AskerMessage,
  ): Promise<Account | 'taken' | 'too_many' | undefined> {
    const { directory } = this.#options
    const by = personAsker(asker, account.record.id)
    let isFull = false
    const linked = await directory.takeWith(account, identityKey(person), by, (record) => {
      if (hasIdentity(record, person)) return undefined
      const next = withIdentity(record, this.#identityOf(person))
      isFull = next === 'too_many'
      if (next === 'too_many') return undefined
      return { record: next, told: { type: 'account.identity_linked', attributes: attributesOf(person) } }
    })
    return isFull ? 'too_many' : linked
  }

  /** @throws Failure `not_found`, `conflict` when nobody could sign in any more */
  async unlink(account: Account, identity: IdentityName, asker: AskerMessage): Promise<void> {
    const { directory } = this.#options
    await directory.change(account, personAsker(asker, account.record.id), (record) => {
      const provider = record.identities.find((each) =>
        hasIdentity({ ...record, identities: [each] }, identity),
      )?.provider
      const next = withoutIdentity(record, identity)
      if (next === 'not_found') throw new Failure('not_found', 'the account does not have this identity')
      if (next === 'last_way_to_sign_in') {
        throw new Failure('conflict', 'this is the only way to sign in to the account; add another one first')
      }
      const attributes = attributesOf({ provider: provider!, issuer: identity.issuer })
      return { record: next, told: { type: 'account.identity_unlinked', attributes } }
    })
    await directory.release(account, [identityKey(identity)])
  }

  #identityOf({ provider, issuer, subject, label }: UpstreamPerson): Identity {
    return { provider, issuer, subject, label, linkedAt: this.#options.now() }
  }

  /** What the first identity's provider says of the person is what is known of somebody who has no account of ours. */
  async #refreshed(account: Account, person: UpstreamPerson, asker: AskerMessage): Promise<Account> {
    const { directory } = this.#options
    if (isDeepStrictEqual(this.#after(account.record, person), account.record)) return account
    const changed = await directory.change(account, personAsker(asker, account.record.id), (record) => {
      const next = this.#after(record, person)
      if (isDeepStrictEqual(next, record)) return undefined
      const told = { type: 'account.changed', reason: 'told_by_provider', attributes: attributesOf(person) } as const
      return { record: next, told }
    })
    return changed ?? account
  }

  #after(record: AccountRecord, person: UpstreamPerson): AccountRecord {
    const next = withIdentity(record, this.#identityOf(person))
    if (next === 'too_many') return record
    const [first] = next.identities
    const isFirst = first !== undefined && hasIdentity({ ...record, identities: [first] }, person)
    return isFirst && record.loginName === '' ? { ...next, claims: JSON.stringify(person.claims) } : next
  }
}
