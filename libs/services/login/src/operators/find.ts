import { accountKey, heldAccount } from '@countersign/accounts'
import { Failure } from '@countersign/contracts'
import type { AccountName } from '@countersign/contracts/accounts'
import type { Store } from '@countersign/store'
import type { Account, AccountDirectory } from '../account-directory.ts'
import { limits } from './limits.ts'

export interface FindOptions {
  store: Pick<Store, 'get'>
  partitions: number
  directory: AccountDirectory
}

/** The account that an operator names. @throws Failure `invalid_request`, `not_found` */
export async function findAccount(options: FindOptions, given: AccountName | undefined): Promise<Account> {
  const name = given?.name
  if (!name || name.value === '') throw new Failure('invalid_request', 'say which account: its id, or its login name')
  const found =
    name.$case === 'id' ? await findById(options, name.value) : await options.directory.findByLoginName(name.value)
  if (!found) throw new Failure('not_found', `no account has this ${name.$case === 'id' ? 'id' : 'login name'}`)
  return found
}

/** An id does not tell its partition: it is looked for in all of them, in one read. */
async function findById({ store, partitions }: FindOptions, id: string): Promise<Account | undefined> {
  if (!/^[\w-]+$/.test(id) || id.length > limits.idCharacters) return undefined
  const entries = await store.get(Array.from({ length: partitions }, (_, partition) => accountKey(partition, id)))
  return entries.flatMap((entry, partition) => heldAccount(partition, entry) ?? [])[0]
}
