import type { AuthorizationCalls } from '@countersign/contracts'
import { applicationsPage } from '../pages/account/index.ts'
import type { Handlers } from '../visit.ts'
import { actIn, done, noSuchForm, type AccountPages } from './pages.ts'

export interface ApplicationSettingsOptions {
  pages: AccountPages
  authorization: AuthorizationCalls
}

const here = 'applications'

/** `/account/applications`: what was allowed to whom. */
export function applicationHandlers({ pages, authorization }: ApplicationSettingsOptions): Handlers {
  return pages.handlers(
    async (visit) => {
      const { applications } = await authorization.listApplications({ session: visit.session })
      return applicationsPage(pages.frame(visit, here), applications)
    },
    async (visit) => {
      const clientId = visit.form.get('client')
      if (actIn(visit, here) !== 'withdraw' || clientId === undefined) throw noSuchForm()
      await authorization.withdrawConsent({ session: visit.session, clientId, asker: visit.asker })
      return done(visit, here, 'application_removed')
    },
  )
}
