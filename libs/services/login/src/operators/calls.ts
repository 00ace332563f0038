import type { PeerCertificate } from 'node:tls'
import { accountClaims, limits as accountLimits, normalizeLoginName, waysToSignIn } from '@countersign/accounts'
import { Failure, type Calls } from '@countersign/contracts'
import type {
  AccountName,
  AccountsService,
  ChangeAccountRequest,
  InviteAccountRequest,
} from '@countersign/contracts/accounts'
import { SubjectChange } from '@countersign/contracts/authorization'
import type { AccountRecord } from '@countersign/contracts/records'
import { emptyCommit } from '@countersign/store'
import { checkRoles, eventOf, type Asker } from '@countersign/tokens'
import type { Account } from '../account-directory.ts'
import { changeSubject, disable, enable, erase, type EndingOptions } from './ending.ts'
import { checkEmail, checkName, emailClaims } from './fields.ts'
import { findAccount } from './find.ts'
import { Links, type LinksOptions } from './links.ts'
import { listAccounts } from './listing.ts'
import { accountMessage } from './message.ts'

/** Who calls, as the transport knows it. */
export interface CallContext {
  readonly metadata: { get(name: string): readonly (string | Buffer)[] }
  readonly peerAddress: string
  /** Verified (mutual TLS). */
  readonly peerCertificate: PeerCertificate | undefined
}

type Asked = Calls<typeof AccountsService>

/** The contract `countersign.accounts.v1.Accounts`, whatever carries it. Throws Failures. */
export type AccountsCalls = {
  readonly [Name in keyof Asked]: (request: Parameters<Asked[Name]>[0], context: CallContext) => ReturnType<Asked[Name]>
}

/** The same, for an operator who is known. */
type OperatorCalls = {
  readonly [Name in keyof Asked]: (request: Parameters<Asked[Name]>[0], operator: Asker) => ReturnType<Asked[Name]>
}

export interface AccountsOptions extends EndingOptions, LinksOptions {
  /** Who asks, as events tell it. @throws Failure for whoever is no operator */
  operatorOf: (context: CallContext) => Promise<Asker>
  partitions: number
}

/** What operators do to the accounts of people. */
export function accountsCalls(options: AccountsOptions): AccountsCalls {
  const calls = operatorCalls(options)
  const guard =
    <Request, Answer>(call: (request: Request, operator: Asker) => Promise<Answer>) =>
    async (request: Request, context: CallContext) =>
      call(request, await options.operatorOf(context))
  return {
    listAccounts: guard(calls.listAccounts),
    getAccount: guard(calls.getAccount),
    inviteAccount: guard(calls.inviteAccount),
    makeResetLink: guard(calls.makeResetLink),
    changeAccount: guard(calls.changeAccount),
    setRoles: guard(calls.setRoles),
    removeSecondFactor: guard(calls.removeSecondFactor),
    disableAccount: guard(calls.disableAccount),
    enableAccount: guard(calls.enableAccount),
    deleteAccount: guard(calls.deleteAccount),
  }
}

function operatorCalls(options: AccountsOptions): OperatorCalls {
  const { authorization, directory, correspondence } = options
  const links = new Links(options)
  const find = (name: AccountName | undefined) => findAccount(options, name)
  const setRoles = async (account: Account, roles: string[], operator: Asker) =>
    changeSubject(options, account, { change: SubjectChange.SET_ROLES, reason: 'set_by_operator', roles }, operator)

  return {
    listAccounts: (request) => listAccounts(options, request),

    async getAccount({ account: name }) {
      const { partition, record } = await find(name)
      const { roles, standings } = await authorization.getSubject({ partition, subject: record.id })
      return { account: accountMessage(record), roles, standings }
    },

    async inviteAccount(request, operator) {
      const { loginName, email, roles, send } = request
      const claims = checkedInvitation(request)
      links.checkSending(send, email)
      const told = { type: 'account.invited' } as const
      const account = await directory.create({ loginName, claims }, operator, false, told)
      if (!account) throw new Failure('conflict', 'somebody has this login name')
      if (roles.length > 0) await setRoles(account, roles, operator).catch(withoutRoles)
      return { account: accountMessage(account.record), ...links.give(account, send) }
    },

    async makeResetLink({ account: name, send }, operator) {
      const account = await find(name)
      const { loginName, disabledAt } = account.record
      if (loginName === '') throw new Failure('conflict', 'this account has no login name, and so no password')
      if (disabledAt !== 0) throw new Failure('conflict', 'this account is disabled: a link for it leads nowhere')
      links.checkSending(send, accountClaims(account.record).email)
      await tellOfLink(options, account, operator)
      return links.give(account, send)
    },

    async changeAccount(request, operator) {
      const account = await find(request.account)
      const claims = checkedChange(request)
      const changed = await directory.change(account, operator, (record) => changedBy(record, claims))
      return { account: accountMessage((changed ?? account).record) }
    },

    async setRoles({ account: name, roles }, operator) {
      return { revision: await setRoles(await find(name), roles, operator) }
    },

    async removeSecondFactor({ account: name }, operator) {
      const account = await find(name)
      const changed = await removeSecondFactor(options, account, operator)
      if (changed) correspondence.secondFactorChanged(changed, 'second_factor_removed', links.speechOf(changed))
      return { account: accountMessage((changed ?? account).record) }
    },

    disableAccount: async ({ account }, operator) => ({
      revision: await disable(options, await find(account), operator),
    }),

    enableAccount: async ({ account }, operator) => ({
      revision: await enable(options, await find(account), operator),
    }),

    deleteAccount: async ({ account }, operator) => ({ revision: await erase(options, await find(account), operator) }),
  }
}

/** @throws Failure `invalid_request` for what nobody is invited with */
function checkedInvitation({ loginName, name, email, roles }: InviteAccountRequest) {
  if (normalizeLoginName(loginName) === undefined) {
    const most = accountLimits.loginNameCharacters
    throw new Failure('invalid_request', `a login name has 1 to ${most} characters, none of them invisible`)
  }
  checkName(name)
  checkEmail(email)
  checkRoles(roles)
  return { ...(name !== '' && { name }), ...emailClaims(email) }
}

function withoutRoles(thrown: unknown): never {
  const { code, message } = thrown instanceof Failure ? thrown : { code: 'internal' as const, message: 'no answer' }
  throw new Failure(code, `the account is there, but has no roles yet: ${message}`, { cause: thrown })
}

/** Whoever has the link can be whoever it is for: the journal knows who made it. */
async function tellOfLink(
  { store, now, commitId }: Pick<AccountsOptions, 'store' | 'now' | 'commitId'>,
  { partition, record }: Account,
  operator: Asker,
): Promise<void> {
  const id = commitId()
  const told = { type: 'account.reset_requested', partition, subject: record.id } as const
  await store.commit({ ...emptyCommit(id, partition), events: [eventOf(id, 0, operator, now(), told)] })
}

type ClaimChange = Readonly<Record<string, string | boolean | undefined>>

/** What the claims become; undefined: it is none of them any more. @throws Failure `invalid_request` */
function checkedChange({ newName, newEmail }: ChangeAccountRequest): ClaimChange {
  if (newName) checkName(newName.value)
  if (newEmail) checkEmail(newEmail.value)
  return {
    ...(newName && { name: newName.value || undefined }),
    ...(newEmail && { email: undefined, email_verified: undefined, ...emailClaims(newEmail.value) }),
  }
}

function changedBy(record: AccountRecord, change: ClaimChange) {
  const before = (record.claims === '' ? {} : JSON.parse(record.claims)) as ClaimChange
  if (Object.entries(change).every(([name, value]) => before[name] === value)) return undefined
  const claims = JSON.stringify({ ...before, ...change })
  return { record: { ...record, claims }, told: { type: 'account.changed', reason: 'changed_by_operator' } as const }
}

/** Undefined: there was none. @throws Failure as {@link withoutSecondFactor} */
async function removeSecondFactor(
  { directory }: Pick<AccountsOptions, 'directory'>,
  account: Account,
  operator: Asker,
): Promise<Account | undefined> {
  return directory.change(account, operator, (record) => {
    const after = withoutSecondFactor(record)
    return after && { record: after, told: { type: 'account.second_factor_removed' } }
  })
}

/** Undefined: there was none. @throws Failure `conflict` when nobody could sign in any more */
function withoutSecondFactor(record: AccountRecord): AccountRecord | undefined {
  if (!record.totp && record.passkeys.length === 0) return undefined
  const after = { ...record, totp: undefined, passkeys: [] }
  if (waysToSignIn(record) > 0 && waysToSignIn(after) === 0) {
    throw new Failure(
      'conflict',
      'passkeys are the only way to sign in to this account: make a reset link, and have it used',
    )
  }
  return after
}
