import { Failure } from '@countersign/contracts'
import type { Account } from '@countersign/contracts/accounts'
import { findIssuer, readCredentials } from '../client.ts'
import { exitCodes, type ExitCode } from '../exit-code.ts'
import { askShown, isInteractive } from '../secret-input.ts'
import type { Surroundings } from '../surroundings.ts'
import { printable, printableJson } from '../text.ts'
import { describedEnforcement } from '../token/enforcement.ts'
import { waited } from '../token/revoke.ts'
import { accountName, askAccounts, type AccountOptions } from './service.ts'
import { labelOf } from './text.ts'

/** `account disable` */
export async function disableAccount(options: AccountOptions, surroundings: Surroundings): Promise<ExitCode> {
  const account = accountName(options)
  const { revision } = await askAccounts(options, surroundings, (calls) => calls.disableAccount({ account }))
  return receipt(revision, { did: 'disabled', nothing: 'it was disabled before' }, options, surroundings)
}

/** `account enable` */
export async function enableAccount(options: AccountOptions, surroundings: Surroundings): Promise<ExitCode> {
  const account = accountName(options)
  const { revision } = await askAccounts(options, surroundings, (calls) => calls.enableAccount({ account }))
  return receipt(revision, { did: 'enabled', nothing: 'it was not disabled' }, options, surroundings)
}

/** `account delete`: for good. With `--wait` no cache answers from before it any more, either. */
export async function deleteAccount(
  options: AccountOptions & { yes?: true; wait?: true },
  surroundings: Surroundings,
): Promise<ExitCode> {
  const { yes, wait } = options
  const name = accountName(options)
  if (!yes && !isInteractive(surroundings)) {
    throw new Failure('invalid_request', 'nobody is here to be asked: give --yes to delete the account for good')
  }
  const issuer = wait && (await findIssuer(options, surroundings))
  // To wait for the caches is to ask over HTTP, where the certificate does not tell who asks.
  const credentials = wait || options.cert === undefined ? await readCredentials(options, surroundings) : undefined
  const ask = async () => {
    const found = await askAccounts(options, surroundings, (calls) => calls.getAccount({ account: name }), credentials)
    if (!yes) await confirm(found.account!, surroundings)
    // Once it is begun, the login name may be free, and another's.
    const account = { name: { $case: 'id' as const, value: found.account!.id } }
    return askAccounts(options, surroundings, (calls) => calls.deleteAccount({ account }), credentials).catch(
      (thrown) => again(thrown, found.account!.id),
    )
  }
  const { revision } = await ask()
  if (!wait) return receipt(revision, { did: 'deleted', nothing: '' }, options, surroundings)
  const { stdout } = surroundings
  if (!options.json) stdout.write(`deleted, revision ${printable(revision)}\n`)
  const enforcement = await waited(issuer as URL, credentials!, [revision], surroundings)
  stdout.write(
    options.json ? `${printableJson({ revision, enforcement })}\n` : `${describedEnforcement(enforcement)}\n`,
  )
  return exitCodes.ok
}

async function confirm(account: Account, surroundings: Surroundings): Promise<void> {
  const label = printable(labelOf(account))
  const answer = await askShown(`Delete ${label} (${printable(account.id)}) for good? Type yes: `, surroundings)
  if (answer.trim().toLowerCase() !== 'yes') throw new Failure('invalid_request', 'nothing is deleted')
}

/** Nobody knows how far it came. */
function again(thrown: unknown, id: string): never {
  if (!(thrown instanceof Failure)) throw thrown
  const message = `${thrown.message}; it may be deleted in part: try again with --id ${id}`
  throw new Failure(thrown.code, message, { cause: thrown.cause })
}

function receipt(
  revision: string,
  { did, nothing }: { did: string; nothing: string },
  { json }: AccountOptions,
  { stdout }: Surroundings,
): ExitCode {
  if (json) stdout.write(`${printableJson({ revision: revision || null })}\n`)
  else stdout.write(revision === '' ? `${nothing}\n` : `${did}, revision ${printable(revision)}\n`)
  return exitCodes.ok
}
