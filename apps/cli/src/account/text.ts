import type { Account, GetAccountResponse } from '@countersign/contracts/accounts'
import { aligned, printable } from '../text.ts'

const instant = (time: number): string => new Date(time).toISOString().replace(/\.\d+Z$/, 'Z')
const instantOrNull = (time: number): string | null => (time === 0 ? null : instant(time))

export const accountJson = (account: Account) => ({
  id: account.id,
  login_name: account.loginName || null,
  name: account.name || null,
  email: account.email || null,
  email_verified: account.emailVerified,
  created_at: instantOrNull(account.createdAt),
  changed_at: instantOrNull(account.changedAt),
  disabled_at: instantOrNull(account.disabledAt),
  has_password: account.hasPassword,
  has_totp: account.hasTotp,
  passkeys: account.passkeys,
  identities: account.identities.map(({ provider, issuer, subject, label, linkedAt }) => ({
    ...{ provider, issuer, subject, label, linked_at: instantOrNull(linkedAt) },
  })),
})

export const standingJson = ({ roles, standings }: GetAccountResponse) => ({
  roles,
  standings: standings.map(({ provider, roles, attributes, determinedAt }) => ({
    provider,
    roles,
    attributes: Object.fromEntries(attributes.map(({ name, values }) => [name, values])),
    determined_at: instantOrNull(determinedAt),
  })),
})

/** What an account is called in words. */
export const labelOf = ({ loginName, email, name, identities, id }: Account): string =>
  loginName || email || name || identities[0]?.label || id

/** Columns of what fits into 80; an id is never cut short. */
const widths = { label: 20, id: 22, state: 8, email: 24 } as const

/** As wide as its column, and no wider. */
function fitted(text: string, width: number): string {
  const characters = [...printable(text)]
  const shown = characters.length > width ? [...characters.slice(0, width - 1), '…'] : characters
  return shown.join('') + ' '.repeat(width - shown.length)
}

const stateOf = ({ disabledAt, hasPassword, identities, passkeys }: Account): string => {
  if (disabledAt !== 0) return 'disabled'
  return hasPassword || identities.length > 0 || passkeys > 0 ? '' : 'invited'
}

/** An account on a line of 80 columns. */
export function accountLine(account: Account): string {
  const { label, id, state, email } = widths
  const columns = [
    fitted(labelOf(account), label),
    printable(account.id).padEnd(id),
    fitted(stateOf(account), state),
    fitted(account.email, email),
  ]
  return `${columns.join('  ').trimEnd()}\n`
}

const isOr = (is: boolean, what: string): string[] => (is ? [what] : [])

/** An account, row by row; what it does not have is left out. */
export function accountRows(account: Account): string {
  const { id, loginName, name, email, emailVerified, createdAt, changedAt, disabledAt, identities } = account
  const { passkeys, hasPassword, hasTotp } = account
  const ways = [
    ...isOr(hasPassword, 'a password'),
    ...isOr(hasTotp, 'one-time passwords'),
    ...isOr(passkeys > 0, passkeys === 1 ? 'a passkey' : `${passkeys} passkeys`),
  ]
  const rows: [string, string][] = [
    ['id', id],
    ['login name', loginName],
    ['name', name],
    ['email', email && `${email}${emailVerified ? '' : ' (not verified)'}`],
    ['created', instantOrNull(createdAt) ?? ''],
    ['changed', instantOrNull(changedAt) ?? ''],
    ['disabled', instantOrNull(disabledAt) ?? ''],
    ['has', ways.join(', ')],
    ...identities.map(({ provider, subject, label }): [string, string] => [
      'identity',
      `${provider}: ${label || subject}`,
    ]),
  ]
  return aligned(rows.filter(([, value]) => value !== '').map(([title, value]) => [title, printable(value)] as const))
}

/** What somebody is allowed, by the account itself and by each provider. */
export function standingRows({ roles, standings }: GetAccountResponse): string {
  const rows = [
    ...roles.map((role) => ['role', role] as const),
    ...standings.flatMap(({ provider, roles, attributes }) => [
      ...roles.map((role) => ['role', `${role} (by ${provider})`] as const),
      ...attributes.map(({ name, values }) => ['attribute', `${name}: ${values.join(', ')} (by ${provider})`] as const),
    ]),
  ]
  return aligned(rows.map(([title, value]) => [title.padEnd('login name'.length), printable(value)] as const))
}
