import type { HttpAnswer } from '@countersign/chassis'
import { Failure, type AuthorizationCalls } from '@countersign/contracts'
import { linkTo, type Purpose } from '../errand.ts'
import type { AccountDirectory } from '../account-directory.ts'
import type { Correspondence } from '../mail/correspondence.ts'
import { providerErrorPage } from '../pages/index.ts'
import type { UpstreamPerson } from '../upstream/flow.ts'
import type { Upstreams } from '../upstream/upstreams.ts'
import type { Handlers, Visit } from '../visit.ts'
import type { Arrivals } from './arrival.ts'
import type { FailedSignIns } from './failed-sign-ins.ts'
import type { Identities } from './identities.ts'
import type { Steps } from './steps.ts'
import type { UpstreamVisits } from './upstream-visits.ts'

export interface CallbackOptions {
  authorization: AuthorizationCalls
  upstreams: Pick<Upstreams, 'list'>
  upstreamVisits: UpstreamVisits
  directory: AccountDirectory
  arrivals: Arrivals
  steps: Steps
  failed: FailedSignIns
  identities: Identities
  correspondence: Correspondence
}

/** `/login/callback/{provider}`: where a provider sends people back to. */
export function callbackHandlers(options: CallbackOptions): Handlers {
  const { upstreamVisits, identities, arrivals, steps } = options

  async function signIn(visit: Visit, person: UpstreamPerson, purpose: Purpose): Promise<HttpAnswer> {
    const { provider, subject, amr, email, roles, attributes } = person
    const account = await identities.accountOf(person, visit.asker)
    const arrival = { account, provider, subject, amr, acr: '', email, roles, attributes }
    return steps.follow(visit, purpose, await arrivals.signIn(visit, purpose, arrival))
  }

  return {
    async GET(visit) {
      const purpose = upstreamVisits.purposeOf(visit)
      try {
        const returned = await upstreamVisits.finish(visit)
        if ('failure' in returned) return await refuse(visit, returned.failure, purpose, options)
        const { person, linking } = returned
        if (linking === undefined) return await signIn(visit, person, purpose)
        return await link(visit, person, linking, options)
      } catch (thrown) {
        return visit.failed(thrown, linkTo(purpose))
      }
    },
  }
}

/** Adds an identity to the account of whoever is signed in, and was when they set out. */
async function link(
  visit: Visit,
  person: UpstreamPerson,
  linking: string,
  options: CallbackOptions,
): Promise<HttpAnswer> {
  const { authorization, directory, identities, upstreams, correspondence } = options
  const { session } = visit.session?.id === linking ? await authorization.getSession({ session: visit.session }) : {}
  const account = session && (await directory.read(session.partition, session.subject))
  if (!account) throw new Failure('access_denied', 'you are not signed in any more; sign in and add it again')
  const linked = await identities.link(account, person, visit.asker)
  if (typeof linked === 'string') return visit.to(`account/identities?refused=${linked}`)
  const { name = person.provider } = upstreams.list().find(({ id }) => id === person.provider) ?? {}
  if (linked) correspondence.identityAdded(linked, name, visit.paper().speech)
  return visit.to('account/identities')
}

/** It is the provider that did not let the person in: the other ways are still there. */
async function refuse(
  visit: Visit,
  failure: Failure,
  purpose: Purpose,
  { upstreams, failed }: CallbackOptions,
): Promise<HttpAnswer> {
  const provider = visit.parameter('provider')
  const { name = provider } = upstreams.list().find(({ id }) => id === provider) ?? {}
  await failed.tell(undefined, `provider_${failure.code}`, provider, visit.asker)
  const paper = visit.paper()
  return providerErrorPage(paper, { name, again: `${paper.root}${linkTo(purpose)}`, failure })
}
