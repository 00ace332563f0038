import type { AuthorizationRecord, ConsentRecord, SessionRecord } from '@countersign/contracts/records'
import type { Client } from './client.ts'
import { scopesOf } from './deciding.ts'

/** What has to happen before a code can be given; an error is what `prompt=none` answers instead (OpenID Connect Core section 3.1.2.6). */
export type Step =
  | { readonly kind: 'sign_in'; readonly again: boolean }
  | { readonly kind: 'consent' }
  | { readonly kind: 'complete' }
  | { readonly kind: 'refuse'; readonly error: 'login_required' | 'consent_required' }

/**
 * Decides what is next for an authorization request and a browser (OpenID Connect Core section 3.1.2.1).
 * @param toldSubject the session's subject as this client knows it
 */
export function nextStep(
  request: AuthorizationRecord,
  client: Client,
  session: SessionRecord | undefined,
  toldSubject: string,
  consent: ConsentRecord | undefined,
): Step {
  const isSilent = request.prompts.includes('none')
  if (!session || needsSignIn(request, session, toldSubject)) {
    return isSilent ? { kind: 'refuse', error: 'login_required' } : { kind: 'sign_in', again: session !== undefined }
  }
  if (!needsConsent(request, client, consent)) return { kind: 'complete' }
  return isSilent ? { kind: 'refuse', error: 'consent_required' } : { kind: 'consent' }
}

function needsSignIn(request: AuthorizationRecord, session: SessionRecord, toldSubject: string): boolean {
  const { prompts, age, hintedSubject, createdAt } = request
  if (hintedSubject !== '' && hintedSubject !== toldSubject) return true
  const isFresh = session.authenticatedAt >= createdAt
  if (isFresh) return false
  if (prompts.includes('login') || prompts.includes('select_account')) return true
  return age !== undefined && createdAt - session.authenticatedAt > age.value * 1_000
}

function needsConsent(request: AuthorizationRecord, client: Client, consent: ConsentRecord | undefined): boolean {
  if (request.prompts.includes('consent')) return true
  if (!client.asksConsent) return false
  const agreed = new Set(consent?.scopes)
  return consent === undefined || scopesOf(request.scope).some((scope) => !agreed.has(scope))
}
