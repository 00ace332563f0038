import { Failure } from '@countersign/contracts'
import { accountPaths, type AccountPage } from '../pages/account/index.ts'
import type { Handlers } from '../visit.ts'
import { applicationHandlers, type ApplicationSettingsOptions } from './applications.ts'
import { Confirmation, type ConfirmationOptions } from './confirmation.ts'
import { IdentitySettings, type IdentitySettingsOptions } from './identities.ts'
import { overviewHandlers, type OverviewOptions } from './overview.ts'
import { AccountPages, type AccountPagesOptions } from './pages.ts'
import { PasskeySettings, type PasskeySettingsOptions } from './passkeys.ts'
import { PasswordChange, type PasswordChangeOptions } from './password.ts'
import { SecondFactorSettings, type SecondFactorSettingsOptions } from './second-factor.ts'
import { sessionHandlers, type SessionSettingsOptions } from './sessions.ts'

type Everything = AccountPagesOptions &
  ConfirmationOptions &
  OverviewOptions &
  PasswordChangeOptions &
  SecondFactorSettingsOptions &
  PasskeySettingsOptions &
  IdentitySettingsOptions &
  SessionSettingsOptions &
  ApplicationSettingsOptions

export type AccountRoutesOptions = Omit<Everything, 'pages' | 'confirmation'>

const refuse = () => Promise.reject(new Failure('not_found', 'this server is set up without what this page is for'))
const notHere: Handlers = { GET: refuse, POST: refuse }

/** What people do with their own accounts: every page of it, by its path. */
export function accountRoutes(options: AccountRoutesOptions): { path: string; handlers: Handlers }[] {
  const { hasLocalAccounts, passkeys } = options
  const isThere = (page: AccountPage) => {
    if (page === 'passkeys') return hasLocalAccounts && passkeys.arePossible
    return hasLocalAccounts || (page !== 'password' && page !== 'second_factor')
  }
  const there = (Object.keys(accountPaths) as AccountPage[]).filter(isThere)
  const pages = new AccountPages({ ...options, pages: there })
  const confirmation = new Confirmation({ ...options, pages })
  const all = { ...options, pages, confirmation }
  const handlers: Record<AccountPage, Handlers> = {
    overview: overviewHandlers(all),
    password: new PasswordChange(all).handlers(),
    second_factor: new SecondFactorSettings(all).handlers(),
    passkeys: new PasskeySettings(all).handlers(),
    identities: new IdentitySettings(all).handlers(),
    sessions: sessionHandlers(all),
    applications: applicationHandlers(all),
  }
  return (Object.keys(accountPaths) as AccountPage[]).map((page) => ({
    path: `/${accountPaths[page]}`,
    handlers: there.includes(page) ? handlers[page] : notHere,
  }))
}
