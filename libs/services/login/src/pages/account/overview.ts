import { html, type HttpAnswer, type Markup, type Shown } from '@countersign/chassis'
import { paths } from '../paper.ts'
import { entries, facts, named, section, type Entry } from '../pieces.ts'
import { accountPaths, framed, type AccountPage, type Frame } from './frame.ts'

export interface Overview {
  loginName: string
  name: string | undefined
  email: string | undefined
  /** Milliseconds since the epoch; 0: nobody knows when. Undefined: there is none. */
  passwordChangedAt: number | undefined
  totpAddedAt: number | undefined
  /** What the person calls them. */
  passkeys: readonly string[]
  /** Who the person is where. */
  identities: readonly { provider: string; label: string }[]
}

const listed = (shown: readonly Shown[]): Markup => html`${shown.map((each, n) => html`${n > 0 && ', '}${each}`)}`

/** Who one is, and how one signs in. */
export function overviewPage(frame: Frame, overview: Overview): HttpAnswer {
  const { speech, root } = frame.paper
  const { loginName, name, email } = overview
  const known = [
    ['field.name', name],
    ['field.login_name', loginName],
    ['field.email', email],
  ] as const
  const about = known.flatMap(([key, value]) => (value ? [[speech.say(key), named(value)] as const] : []))
  return framed(frame, {
    body: html`${section('you', speech.say('account.overview.you'), facts(about))}
      ${section('ways', speech.say('account.overview.ways'), entries(waysOf(frame, overview)))}
      <p class="aside"><a href="${root}${paths.signOut}">${speech.say('sign_out.leave')}</a></p>`,
  })
}

function waysOf(frame: Frame, overview: Overview): Entry[] {
  const { speech, root } = frame.paper
  const { passwordChangedAt, totpAddedAt, passkeys, identities } = overview
  const since = (key: 'account.password.changed' | 'account.second_factor.on', time: number | undefined) =>
    time === undefined ? undefined : speech.say(key, { date: speech.date(time) })
  const lines: Partial<Record<AccountPage, Shown>> = {
    password:
      passwordChangedAt === 0
        ? speech.say('account.password.there')
        : since('account.password.changed', passwordChangedAt),
    second_factor: since('account.second_factor.on', totpAddedAt),
    passkeys: passkeys.length > 0 && listed(passkeys.map(named)),
    identities:
      identities.length > 0 &&
      listed(identities.map(({ provider, label }) => html`${named(provider)} (${named(label)})`)),
  }
  return frame.pages
    .filter((each) => each in lines)
    .map((each) => {
      const title = speech.say(`account.${each}.title`)
      const open = speech.say('account.overview.open')
      return {
        title,
        lines: [lines[each] || speech.say('account.overview.none')],
        action: html`<a class="button second small" href="${root}${accountPaths[each]}" aria-label="${open}: ${title}"
          >${open}</a
        >`,
      }
    })
}
