import { deleteAccount, deletionKeys, type HeldAccount } from '@countersign/accounts'
import { Failure, type AuthorizationCalls, type Millis, type Revision } from '@countersign/contracts'
import { SubjectChange } from '@countersign/contracts/authorization'
import type { Store } from '@countersign/store'
import { eventOf, type Asker } from '@countersign/tokens'
import type { Account, AccountDirectory } from '../account-directory.ts'
import { limits } from '../limits.ts'

export interface EndingOptions {
  authorization: AuthorizationCalls
  directory: AccountDirectory
  store: Store
  now: () => Millis
  commitId: () => string
}

/** What is known of a person where their sessions and tokens are; it tells the journal of it. */
export async function changeSubject(
  { authorization }: Pick<EndingOptions, 'authorization'>,
  { partition, record }: Account,
  change: { change: SubjectChange; reason: string; roles?: string[] },
  { id: operatorId, address, userAgent, traceparent }: Asker,
): Promise<Revision> {
  const asker = { operatorId, address, userAgent, traceparent }
  const wanted = { roles: [], ...change, partition, subject: record.id, except: undefined, asker }
  return (await authorization.changeSubject(wanted)).revision
}

/** Tokens first: from then on nobody signs in either, and what a crash leaves undone does no harm. Repeated, it is completed. */
export async function disable(options: EndingOptions, account: Account, asker: Asker): Promise<Revision> {
  const { directory, now } = options
  const change = { change: SubjectChange.DISABLE, reason: 'disabled_by_operator' }
  const revision = await changeSubject(options, account, change, asker)
  await directory.change(account, asker, (record) =>
    record.disabledAt === 0 ? { record: { ...record, disabledAt: now() } } : undefined,
  )
  return revision
}

/** The other way round, so that whoever is half enabled is disabled. */
export async function enable(options: EndingOptions, account: Account, asker: Asker): Promise<Revision> {
  await options.directory.change(account, asker, (record) =>
    record.disabledAt === 0 ? undefined : { record: { ...record, disabledAt: 0 } },
  )
  return changeSubject(options, account, { change: SubjectChange.ENABLE, reason: 'enabled_by_operator' }, asker)
}

/**
 * For good. Every token is dead before anything of the account goes. After a crash anywhere it is repeated by the account's id:
 * its login name may be free by then.
 * @returns a revision that has it, also of what an earlier attempt did
 */
export async function erase(options: EndingOptions, account: Account, asker: Asker): Promise<Revision> {
  const change = { change: SubjectChange.DELETE, reason: 'deleted_by_operator' }
  const revision = await changeSubject(options, account, change, asker)
  await eraseAccount(options, account, asker)
  return revision || (await options.store.facts(account.partition, undefined)).revision
}

async function eraseAccount(options: EndingOptions, account: Account, asker: Asker): Promise<void> {
  const { directory, store } = options
  let held: HeldAccount | undefined = account
  for (let attempt = 0; attempt < limits.attempts; attempt++) {
    if (attempt > 0) held = await directory.read(account.partition, account.record.id)
    if (!held) return
    const indexes = await store.get(deletionKeys(held.record))
    if (await commitAll(options, { account: held, indexes }, asker)) return
  }
  throw new Failure('conflict', 'the account is being used; try again', { retryAfterSeconds: 1 })
}

/** False when somebody else changed something meanwhile. */
async function commitAll(
  { store, now, commitId }: EndingOptions,
  deletion: Parameters<typeof deleteAccount>[1],
  asker: Asker,
): Promise<boolean> {
  const ids = [commitId(), commitId(), commitId()] as const
  const { partition, record } = deletion.account
  const told = { type: 'account.deleted', partition, subject: record.id, reason: 'erased_by_operator' } as const
  for (const commit of deleteAccount(ids, deletion, eventOf(ids[2], 0, asker, now(), told), now())) {
    if ((await store.commit(commit)) === 'conflict') return false
  }
  return true
}
