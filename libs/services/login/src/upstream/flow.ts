import type { AccountClaims } from '@countersign/accounts'

/** Somebody who signed in elsewhere. Everything is bounded, well-formed text. */
export interface UpstreamPerson {
  readonly provider: string
  /** With `subject` who it is; nothing else says so. */
  readonly issuer: string
  readonly subject: string
  readonly claims: Omit<AccountClaims, 'sub'>
  /** Only when it is trusted to be the person's. */
  readonly email: string | undefined
  /** What to call this identity in a list of them. */
  readonly label: string
  readonly roles: readonly string[]
  readonly attributes: readonly { readonly name: string; readonly values: readonly string[] }[]
  /** How the provider says that it knows them (OpenID Connect Core section 2). */
  readonly amr: readonly string[]
  readonly acr: string
}

/** What makes an answer one to our request: all of it made by us, at random, and bound to the browser. */
export interface Proof {
  readonly redirectUri: string
  readonly state: string
  /** Of providers without OpenID Connect not looked at. */
  readonly nonce: string
  /** 43 to 128 characters (RFC 7636 section 4.1). */
  readonly codeVerifier: string
}

export interface Beginning extends Proof {
  readonly loginHint?: string | undefined
  /** As OpenID Connect Core section 3.1.2.1 has it. */
  readonly prompt?: string | undefined
  readonly uiLocales?: string | undefined
}

export interface Ending extends Proof {
  /** As the browser called it, with its query. */
  readonly callback: URL
}

/** How people sign in with one provider. All throw Failure. */
export interface Flow {
  /** Where to send the browser. */
  begin(beginning: Beginning): Promise<URL>
  /** Who came back. */
  finish(ending: Ending): Promise<UpstreamPerson>
  /** Where to sign out there; undefined where that is not offered. */
  signOutUrl(returnTo: string): Promise<string | undefined>
}
