import { hasIdentity, limits, withoutIdentity } from '@countersign/accounts'
import type { HttpAnswer } from '@countersign/chassis'
import { Failure } from '@countersign/contracts'
import type { Correspondence } from '../mail/correspondence.ts'
import { identitiesPage } from '../pages/account/index.ts'
import { named, type Mistake } from '../pages/index.ts'
import type { Identities } from '../sign-in/identities.ts'
import { mistake } from '../sign-in/mistakes.ts'
import type { UpstreamVisits } from '../sign-in/upstream-visits.ts'
import type { Upstreams } from '../upstream/upstreams.ts'
import type { Handlers, Visit } from '../visit.ts'
import type { Confirmation } from './confirmation.ts'
import { actIn, done, noSuchForm, type AccountPages, type Person } from './pages.ts'
import { providerNames } from './provider-names.ts'

export interface IdentitySettingsOptions {
  pages: AccountPages
  confirmation: Confirmation
  identities: Identities
  upstreams: Pick<Upstreams, 'list'>
  upstreamVisits: UpstreamVisits
  correspondence: Correspondence
}

const here = 'identities'

const refusals = { taken: 'account.identities.taken', too_many: 'account.identities.too_many' } as const

/** Why the identity that the person came back with was not added. */
function refusal(visit: Visit): Mistake | undefined {
  const given = visit.query.get('refused')
  if (given !== 'taken' && given !== 'too_many') return undefined
  return mistake(visit, 409, refusals[given], { most: limits.identities })
}

/** `/account/identities`: who the person is elsewhere. */
export class IdentitySettings {
  readonly #options: IdentitySettingsOptions

  constructor(options: IdentitySettingsOptions) {
    this.#options = options
  }

  handlers(): Handlers {
    return this.#options.pages.handlers(
      async (visit, person) => this.#list(visit, person, refusal(visit)),
      async (visit, person) => {
        switch (actIn(visit, here)) {
          case 'add':
            return this.#add(visit, person)
          case 'remove':
            return this.#remove(visit, person)
          default:
            throw noSuchForm()
        }
      },
    )
  }

  /** Sends the person to the provider; whoever comes back in this session is added. */
  async #add(visit: Visit, person: Person): Promise<HttpAnswer> {
    const { upstreams, upstreamVisits, confirmation } = this.#options
    const provider = upstreams.list().find(({ id }) => id === visit.form.get('provider'))
    if (!provider) throw new Failure('not_found', 'there is no such provider')
    const { speech } = visit.paper()
    const asked = await confirmation.ask(visit, person, here, {
      title: speech.say('account.identities.add_title'),
      text: speech.tell('account.identities.add_text', { provider: named(provider.name) }),
      button: speech.say('page.continue'),
      fields: { act: 'add', provider: provider.id },
      isLeaving: true,
      isHarmless: true,
    })
    return asked ?? upstreamVisits.begin(visit, provider.id, undefined, { linking: person.session.id })
  }

  async #remove(visit: Visit, person: Person): Promise<HttpAnswer> {
    const { pages, upstreams, identities, confirmation, correspondence } = this.#options
    const { account } = person
    const name = { issuer: visit.form.get('issuer') ?? '', subject: visit.form.get('subject') ?? '' }
    const identity = account.record.identities.find((each) =>
      hasIdentity({ ...account.record, identities: [each] }, name),
    )
    if (!identity) return done(visit, here)
    if (withoutIdentity(account.record, name) === 'last_way_to_sign_in')
      return this.#list(visit, person, mistake(visit, 409, 'account.mistake.last_way'))
    const { speech } = visit.paper()
    const provider = providerNames(upstreams)(identity.provider)
    const label = named(identity.label || identity.subject)
    const asked = await confirmation.ask(visit, person, here, {
      title: speech.say('account.identities.remove_title'),
      text: speech.tell('account.identities.remove_text', { label, provider: named(provider) }),
      button: speech.say('account.remove'),
      isDanger: true,
      fields: { act: 'remove', ...name },
    })
    if (asked) return asked
    await identities.unlink(account, name, visit.asker)
    await pages.signOutOthers(visit, account, 'identity_removed')
    correspondence.identityRemoved(account, provider, speech)
    return done(visit, here, 'identity_removed')
  }

  #list(visit: Visit, { account }: Person, said?: Mistake): HttpAnswer {
    const { pages, upstreams } = this.#options
    const nameOf = providerNames(upstreams)
    const identities = account.record.identities.map((each) => ({ ...each, provider: nameOf(each.provider) }))
    return identitiesPage(pages.frame(visit, here, said), { identities, providers: upstreams.list() })
  }
}
