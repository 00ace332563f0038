import { accountClaims } from '@countersign/accounts'
import { overviewPage } from '../pages/account/index.ts'
import type { Upstreams } from '../upstream/upstreams.ts'
import type { Handlers } from '../visit.ts'
import type { Confirmation } from './confirmation.ts'
import type { AccountPages } from './pages.ts'
import { providerNames } from './provider-names.ts'

export interface OverviewOptions {
  pages: AccountPages
  confirmation: Confirmation
  upstreams: Pick<Upstreams, 'list'>
}

/** `/account`: who one is here. */
export function overviewHandlers({ pages, confirmation, upstreams }: OverviewOptions): Handlers {
  return pages.handlers(async (visit, person) => {
    const { record } = person.account
    const { name, email } = accountClaims(record)
    const { loginName, passwordChangedAt, totp, passkeys, identities } = record
    const nameOf = providerNames(upstreams)
    return overviewPage(pages.frame(visit, 'overview'), {
      loginName,
      name,
      email,
      passwordChangedAt: confirmation.hasPassword(person) ? passwordChangedAt : undefined,
      totpAddedAt: totp?.addedAt,
      passkeys: passkeys.map((passkey) => passkey.name),
      identities: identities.map(({ provider, label }) => ({ provider: nameOf(provider), label })),
    })
  })
}
