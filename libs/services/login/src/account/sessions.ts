import type { HttpAnswer } from '@countersign/chassis'
import type { AuthorizationCalls, Millis } from '@countersign/contracts'
import { accountPaths, sessionsPage } from '../pages/account/index.ts'
import { confirmationPage } from '../pages/index.ts'
import type { Steps } from '../sign-in/steps.ts'
import type { Upstreams } from '../upstream/upstreams.ts'
import type { Handlers, Visit } from '../visit.ts'
import { deviceOf } from './devices.ts'
import { actIn, done, noSuchForm, type AccountPages } from './pages.ts'

export interface SessionSettingsOptions {
  pages: AccountPages
  authorization: AuthorizationCalls
  steps: Steps
  upstreams: Pick<Upstreams, 'list'>
  now: () => Millis
}

const here = 'sessions'

/** As a cookie's digest names it: whatever else there is has another meaning to whom it is sent. */
const sessionSyntax = /^[\w-]{43}$/

/** `/account/sessions`: where the person is signed in, and how that ends. */
export function sessionHandlers(options: SessionSettingsOptions): Handlers {
  const { pages, authorization, steps } = options

  async function end(visit: Visit, other: string): Promise<void> {
    await authorization.endSession({ session: visit.session, asker: visit.asker, other })
  }

  return pages.handlers(
    (visit) => list(visit, options),
    async (visit, { session }) => {
      switch (actIn(visit, here)) {
        case 'end': {
          const id = visit.form.get('id') ?? ''
          if (!sessionSyntax.test(id)) throw noSuchForm()
          await end(visit, id)
          return done(visit, here, 'session_ended')
        }
        case 'others':
          await end(visit, '*')
          return done(visit, here, 'others_ended')
        case 'everywhere':
          if (visit.form.get('confirmed') !== 'yes') return askEverywhere(visit)
          await authorization.signOutEverywhere({ session: visit.session, asker: visit.asker })
          return steps.signedOut(visit, session)
        default:
          throw noSuchForm()
      }
    },
  )
}

async function list(
  visit: Visit,
  { pages, authorization, upstreams, now }: SessionSettingsOptions,
): Promise<HttpAnswer> {
  const { sessions } = await authorization.listSessions({ session: visit.session })
  const names = new Map(upstreams.list().map(({ id, name }) => [id, name]))
  return sessionsPage(pages.frame(visit, here), {
    sessions: sessions.map(({ userAgent, provider, ...session }) => ({
      ...session,
      ...deviceOf(userAgent),
      provider: names.get(provider),
    })),
    now: now(),
  })
}

function askEverywhere(visit: Visit): HttpAnswer {
  const paper = visit.paper()
  const { speech } = paper
  return confirmationPage(paper, {
    title: speech.say('account.sessions.everywhere_title'),
    text: speech.say('signed_in.everywhere_hint'),
    ties: { purpose: undefined, csrf: visit.csrf(`account ${here}`, 'session') },
    fields: { act: 'everywhere', confirmed: 'yes' },
    action: accountPaths[here],
    button: speech.say('signed_in.everywhere'),
    back: accountPaths[here],
  })
}
