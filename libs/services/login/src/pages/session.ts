import { html, type HttpAnswer } from '@countersign/chassis'
import type { SignOutPage } from '@countersign/contracts/authorization'
import type { WordKey } from '../speech.ts'
import { isWebAddress, page, paths, ties, type Paper, type Ties } from './paper.ts'
import { named, person } from './pieces.ts'

/**
 * For whoever is signed in for no application's sake.
 * @param ties of a sign-out on the person's own behalf
 * @param name of the person
 */
export function signedInPage(paper: Paper, { ties: carried, name }: { ties: Ties; name: string }): HttpAnswer {
  const { speech, root } = paper
  const signOut = html`method="post" action="${root}${paths.signOut}"`
  return page(paper, 200, {
    title: speech.say('signed_in.title'),
    formAction: "'self'",
    body: html`<h1>${speech.say('signed_in.title')}</h1>
      <p class="lead">${speech.tell('signed_in.as', { name: person(name) })}</p>
      <a class="button whole" href="${root}${paths.account}">${speech.say('signed_in.account')}</a>
      <form ${signOut}>
        ${ties(carried)}<button class="second" name="decision" value="leave">${speech.say('sign_out.leave')}</button>
      </form>
      <form ${signOut}>
        ${ties(carried)}<button class="second" name="decision" value="everywhere" aria-describedby="everywhere">
          ${speech.say('signed_in.everywhere')}
        </button>
        <p class="hint" id="everywhere">${speech.say('signed_in.everywhere_hint')}</p>
      </form>`,
  })
}

export function signOutPage(
  paper: Paper,
  { page: asked, ties: carried }: { page: SignOutPage; ties: Ties },
): HttpAnswer {
  const { speech, root } = paper
  const { client } = asked
  return page(paper, 200, {
    title: speech.say('sign_out.title'),
    body: html`<h1>${speech.say('sign_out.title')}</h1>
      <p>
        ${
          client
            ? speech.tell('sign_out.client', { client: html`<strong>${named(client.name || client.id)}</strong>` })
            : speech.say('sign_out.text')
        }
      </p>
      <form method="post" action="${root}${paths.signOut}">
        ${ties(carried)}
        <div class="actions">
          <button class="second" name="decision" value="stay">${speech.say('sign_out.stay')}</button>
          <button name="decision" value="leave">${speech.say('sign_out.leave')}</button>
        </div>
      </form>`,
  })
}

/** @param upstream where the person may still be signed in, and where one signs out there */
export function signedOutPage(paper: Paper, upstream?: { name: string; url: string }): HttpAnswer {
  const { speech, root } = paper
  const provider = upstream && isWebAddress(upstream.url) ? { provider: named(upstream.name) } : undefined
  return page(paper, 200, {
    title: speech.say('done.signed_out'),
    formAction: "'none'",
    body: html`<h1>${speech.say('done.signed_out')}</h1>
      <p>${provider ? speech.tell('done.upstream', provider) : speech.say('done.signed_out_text')}</p>
      ${
        provider &&
        html`<a class="button whole" href="${upstream!.url}" rel="noreferrer">
          <span>${speech.tell('done.upstream_button', provider)}</span>
        </a>`
      }
      <p class="aside"><a href="${root}${paths.signIn}">${speech.say('done.sign_in_again')}</a></p>`,
  })
}

const ends = {
  device_allowed: ['done.device_allowed', 'done.device_allowed_text'],
  device_denied: ['done.device_denied', 'done.device_denied_text'],
} as const satisfies Record<string, readonly [WordKey, WordKey]>

/** The end of an errand that leads nowhere. */
export function donePage(paper: Paper, what: keyof typeof ends): HttpAnswer {
  const [title, text] = ends[what].map((key) => paper.speech.say(key))
  return page(paper, 200, {
    title: title!,
    formAction: "'none'",
    body: html`<h1>${title}</h1>
      <p>${text}</p>`,
  })
}
