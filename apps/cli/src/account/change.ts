import { Failure } from '@countersign/contracts'
import type { Account } from '@countersign/contracts/accounts'
import { exitCodes, type ExitCode } from '../exit-code.ts'
import type { Surroundings } from '../surroundings.ts'
import { printable, printableJson } from '../text.ts'
import { accountName, askAccounts, type AccountOptions } from './service.ts'
import { accountJson, accountRows } from './text.ts'

/** `account change` */
export async function changeAccount(
  options: AccountOptions & { name?: string; email?: string },
  surroundings: Surroundings,
): Promise<ExitCode> {
  const { name, email } = options
  if (name === undefined && email === undefined) throw new Failure('invalid_request', 'give --name or --email')
  const request = {
    account: accountName(options),
    newName: name === undefined ? undefined : ({ $case: 'name', value: name } as const),
    newEmail: email === undefined ? undefined : ({ $case: 'email', value: email } as const),
  }
  const { account } = await askAccounts(options, surroundings, (calls) => calls.changeAccount(request))
  return show(account!, options, surroundings)
}

/** `account remove-second-factor` */
export async function removeSecondFactor(options: AccountOptions, surroundings: Surroundings): Promise<ExitCode> {
  const request = { account: accountName(options) }
  const { account } = await askAccounts(options, surroundings, (calls) => calls.removeSecondFactor(request))
  return show(account!, options, surroundings)
}

function show(account: Account, { json }: AccountOptions, { stdout }: Surroundings): ExitCode {
  stdout.write(json ? `${printableJson(accountJson(account))}\n` : accountRows(account))
  return exitCodes.ok
}

export interface RolesOptions extends AccountOptions {
  /** With commas between them. */
  readonly set?: string
  readonly add?: string[]
  readonly remove?: string[]
}

/** `account roles`: prints those of the account itself, as they are from now on. */
export async function changeRoles(options: RolesOptions, surroundings: Surroundings): Promise<ExitCode> {
  const { set, add = [], remove = [] } = options
  if (set !== undefined && add.length + remove.length > 0) {
    throw new Failure('invalid_request', '--set says all of them: give it without --add and --remove')
  }
  const account = accountName(options)
  const roles = await askAccounts(options, surroundings, async (calls) => {
    const before = set === undefined ? (await calls.getAccount({ account })).roles : []
    const wanted = set === undefined ? [...before, ...add].filter((role) => !remove.includes(role)) : listed(set)
    const after = [...new Set(wanted)].toSorted()
    if (set !== undefined || add.length + remove.length > 0) await calls.setRoles({ account, roles: after })
    return after
  })
  const { stdout } = surroundings
  stdout.write(options.json ? `${printableJson({ roles })}\n` : roles.map((role) => `${printable(role)}\n`).join(''))
  return exitCodes.ok
}

const listed = (text: string): string[] =>
  text
    .split(',')
    .map((role) => role.trim())
    .filter((role) => role !== '')
