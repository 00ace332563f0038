import { html, type Markup } from '@countersign/chassis'
import { paths, ties, type Paper, type Ties } from './paper.ts'
import { field } from './pieces.ts'

/** A challenge for the browser's script, and what the form brings back with the answer. */
export interface PasskeyChallenge {
  /** JSON: `PublicKeyCredentialRequestOptionsJSON`, or `…CreationOptionsJSON` (WebAuthn Level 3 section 5.1). */
  options: string
  ticket: string
}

/**
 * Runs on pages with one of the forms below. Where the browser knows passkeys it shows the form, and offers passkeys in the field
 * of the login name; what the authenticator answers goes into the form's empty field.
 */
export const passkeyScript = `(() => {
  const form = document.querySelector('form[data-passkey]')
  const Credential = window.PublicKeyCredential
  if (!form || !Credential) return
  const { passkey: act, options, cancelled, failed, known } = form.dataset
  const parse = act === 'create' ? 'parseCreationOptionsFromJSON' : 'parseRequestOptionsFromJSON'
  if (typeof Credential[parse] !== 'function') return
  const told = form.querySelector('[role=status]')
  let asking
  const ask = async (mediation) => {
    asking?.abort()
    const { signal } = (asking = new AbortController())
    try {
      const publicKey = Credential[parse](JSON.parse(options))
      const answer = await navigator.credentials[act](mediation ? { publicKey, signal, mediation } : { publicKey, signal })
      form.querySelector('[data-answer]').value = JSON.stringify(answer)
      HTMLFormElement.prototype.submit.call(form)
    } catch ({ name }) {
      if (signal.aborted || mediation) return
      told.textContent = name === 'InvalidStateError' ? known : name === 'NotAllowedError' ? cancelled : failed
      offer()
    }
  }
  const offer = async () => {
    if (act === 'get' && (await Credential.isConditionalMediationAvailable?.())) ask('conditional')
  }
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    told.textContent = ''
    ask()
  })
  form.hidden = false
  document.querySelector('[data-without-passkeys]')?.remove()
  offer()
})()`

/** @param act as `navigator.credentials` calls it */
function passkeyForm(
  { speech, root }: Paper,
  act: 'get' | 'create',
  { options, ticket }: PasskeyChallenge,
  { action, answer, body }: { action: string; answer: string; body: Markup },
): Markup {
  return html`<form
    method="post"
    action="${root}${action}"
    hidden
    data-passkey="${act}"
    data-options="${options}"
    data-cancelled="${speech.say('passkey.cancelled')}"
    data-failed="${speech.say('passkey.failed')}"
    data-known="${speech.say('passkey.known')}"
  >
    <input type="hidden" name="ticket" value="${ticket}" /><input
      type="hidden"
      name="${answer}"
      value=""
      data-answer
      autocomplete="off"
    />
    ${body}
    <p class="mistake" role="status"></p>
  </form>`
}

/** Sends the field `passkey`. */
export const passkeySignIn = (paper: Paper, carried: Ties, challenge: PasskeyChallenge): Markup =>
  passkeyForm(paper, 'get', challenge, {
    action: paths.signIn,
    answer: 'passkey',
    body: html`${ties(carried)}<button class="second">${paper.speech.say('sign_in.passkey')}</button>`,
  })

/** Sends the fields `credential` and `name`. @param most characters of a name */
export function passkeyCreation(
  paper: Paper,
  carried: Ties,
  challenge: PasskeyChallenge,
  { action, name = '', most }: { action: string; name?: string; most: number },
): Markup {
  const { speech } = paper
  const hint = speech.say('passkey.name_hint')
  const label = speech.say('field.passkey_name')
  const body = html`${ties(carried)}${field({ name: 'name', label, value: name, hint, most, autocomplete: 'off' })}
    <button>${speech.say('passkey.add')}</button>`
  return html`<p class="hint" data-without-passkeys>${speech.say('passkey.scripts')}</p>
    ${passkeyForm(paper, 'create', challenge, { action, answer: 'credential', body })}`
}
