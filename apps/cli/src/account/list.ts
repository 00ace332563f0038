import { Failure } from '@countersign/contracts'
import type { Account, ListAccountsResponse } from '@countersign/contracts/accounts'
import { exitCodes, type ExitCode } from '../exit-code.ts'
import { limits } from '../limits.ts'
import type { RpcOptions } from '../rpc-call.ts'
import type { Surroundings } from '../surroundings.ts'
import { printableJson } from '../text.ts'
import { accountName, askAccounts, type AccountOptions } from './service.ts'
import { accountJson, accountLine, accountRows, standingJson, standingRows } from './text.ts'

/** `account list` */
export async function listAccounts(
  options: RpcOptions & { search?: string; limit?: string },
  surroundings: Surroundings,
): Promise<ExitCode> {
  const { search = '', json } = options
  const limit = limitOf(options.limit)
  const accounts: Account[] = []
  let pageToken = ''
  await askAccounts(options, surroundings, async (calls) => {
    do {
      const pageSize = Math.min(limit - accounts.length, limits.pageAccounts)
      const page: ListAccountsResponse = await calls.listAccounts({ search, pageSize, pageToken })
      accounts.push(...page.accounts)
      pageToken = page.nextPageToken
    } while (pageToken !== '' && accounts.length < limit)
  })
  const { stdout, stderr } = surroundings
  const hasMore = pageToken !== ''
  if (json) stdout.write(`${printableJson({ accounts: accounts.map(accountJson), has_more: hasMore })}\n`)
  else {
    stdout.write(accounts.map(accountLine).join(''))
    if (hasMore) stderr.write(`there may be more than these ${accounts.length}: --limit, --search\n`)
  }
  return exitCodes.ok
}

/** @throws Failure `invalid_request` */
function limitOf(given: string | undefined): number {
  if (given === undefined) return limits.listedAccounts
  if (/^[1-9]\d{0,5}$/.test(given)) return Number(given)
  throw new Failure('invalid_request', '--limit is a number of accounts, from 1 to 999999')
}

/** `account show` */
export async function showAccount(options: AccountOptions, surroundings: Surroundings): Promise<ExitCode> {
  const name = accountName(options)
  const answer = await askAccounts(options, surroundings, (calls) => calls.getAccount({ account: name }))
  const account = answer.account!
  surroundings.stdout.write(
    options.json
      ? `${printableJson({ ...accountJson(account), ...standingJson(answer) })}\n`
      : accountRows(account) + standingRows(answer),
  )
  return exitCodes.ok
}
