import { AccountsService, type AccountName } from '@countersign/contracts/accounts'
import { Failure } from '@countersign/contracts'
import type { RpcCalls } from '@countersign/rpc'
import type { Credentials } from '../http-call.ts'
import { askService, findTarget, readCaller, type RpcOptions } from '../rpc-call.ts'
import type { Surroundings } from '../surroundings.ts'

/** Options of every command that is about an account. */
export interface AccountOptions extends RpcOptions {
  /** What stands behind the command: which account. */
  readonly operands: readonly string[]
  /** It is an id, and no login name. */
  readonly id?: true
}

/** Asks login over gRPC. @param credentials who asks; absent: as the options say @throws Failure, ConfigError */
export async function askAccounts<Answer>(
  options: RpcOptions,
  surroundings: Surroundings,
  ask: (calls: RpcCalls<typeof AccountsService>) => Promise<Answer>,
  credentials?: Credentials,
): Promise<Answer> {
  const target = await findTarget(options, surroundings)
  const client = credentials ?? (await readCaller(options, surroundings))
  return askService(AccountsService, target, options, client, ask)
}

/** The one operand. @throws Failure `invalid_request` */
export function operandOf({ operands }: Pick<AccountOptions, 'operands'>): string {
  const [operand = ''] = operands
  if (operand.trim() === '') throw new Failure('invalid_request', 'say which account')
  return operand
}

/** Which account is meant. @throws Failure `invalid_request` */
export const accountName = (options: AccountOptions): AccountName => ({
  name: { $case: options.id ? 'id' : 'loginName', value: operandOf(options) },
})
