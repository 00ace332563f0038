import type { MakeResetLinkResponse } from '@countersign/contracts/accounts'
import { exitCodes, type ExitCode } from '../exit-code.ts'
import type { Surroundings } from '../surroundings.ts'
import { printable, printableJson } from '../text.ts'
import { accountName, askAccounts, operandOf, type AccountOptions } from './service.ts'
import { accountJson } from './text.ts'

/** `account invite` */
export async function inviteAccount(
  options: AccountOptions & { name?: string; email?: string; role?: string[]; send?: true },
  surroundings: Surroundings,
): Promise<ExitCode> {
  const { name = '', email = '', role: roles = [], send = false } = options
  const request = { loginName: operandOf(options), name, email, roles, send }
  const answer = await askAccounts(options, surroundings, (calls) => calls.inviteAccount(request))
  return show(answer, options, surroundings, { account: accountJson(answer.account!) })
}

/** `account reset-link` */
export async function makeResetLink(
  options: AccountOptions & { send?: true },
  surroundings: Surroundings,
): Promise<ExitCode> {
  const request = { account: accountName(options), send: options.send === true }
  const answer = await askAccounts(options, surroundings, (calls) => calls.makeResetLink(request))
  return show(answer, options, surroundings, {})
}

/** Standard output has the link and nothing else, so that it can be piped. */
function show(
  { link, linkExpiresAt }: MakeResetLinkResponse,
  { json }: AccountOptions,
  { stdout, stderr }: Surroundings,
  more: object,
): ExitCode {
  const expiresAt = new Date(linkExpiresAt).toISOString().replace(/\.\d+Z$/, 'Z')
  if (json) stdout.write(`${printableJson({ ...more, link: link || null, link_expires_at: expiresAt })}\n`)
  else if (link === '') stdout.write(`on its way, good until ${expiresAt}\n`)
  else {
    stdout.write(`${printable(link)}\n`)
    stderr.write(`good until ${expiresAt}; whoever has it takes the account: give it to nobody but its owner\n`)
  }
  return exitCodes.ok
}
