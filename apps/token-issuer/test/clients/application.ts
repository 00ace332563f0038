import type { webcrypto } from 'node:crypto'

export type Parameters = Record<string, string>

/** How an application proves who it is; nothing of it: it is public. */
export interface Credentials {
  readonly secret?: string
  readonly key?: { readonly privateKey: webcrypto.CryptoKey; readonly id: string }
}

export interface ApplicationOptions {
  readonly issuerUrl: string
  readonly clientId: string
  readonly credentials?: Credentials
  /** It has a DPoP key of its own, and sends a proof with each request. */
  readonly usesDpop?: boolean
  /** What its ID tokens are signed with, or the signed answers to its introspections. */
  readonly algorithm?: string
  /** It asks for signed answers to its introspections (RFC 9701). */
  readonly asksSignedIntrospections?: boolean
}

/** A request on its way, and what the application keeps of it. */
export interface Begun {
  readonly url: URL
  readonly state: string
  readonly nonce: string | undefined
  readonly verifier: string
  readonly maxAgeSeconds: number | undefined
}

export interface Tokens {
  readonly accessToken: string
  readonly refreshToken: string | undefined
  readonly idToken: string | undefined
  /** In lower case. */
  readonly tokenType: string
  readonly scope: string | undefined
  readonly issuedTokenType: unknown
  /** Of the ID token, which the library has checked. */
  readonly claims: Readonly<Record<string, unknown>> | undefined
}

export interface Device {
  readonly userCode: string
  readonly verificationUri: string
  /** Polls until it is decided. */
  poll(): Promise<Tokens>
}

/** An application as one writes it with a library. What the server refuses is thrown as the library does, with its `error`. */
export interface Application {
  /** Of its DPoP key. */
  thumbprint(): Promise<string>
  /** Begins a request with PKCE, `state`, and `nonce` where an ID token is due; pushed ahead if asked (RFC 9126). */
  begin(parameters: Parameters, isPushed?: boolean): Promise<Begun>
  /** Takes the answer, in a URL or a posted form, and redeems its code. */
  redeem(begun: Begun, answer: URL | Request): Promise<Tokens>
  refresh(refreshToken: string, parameters?: Parameters): Promise<Tokens>
  clientCredentials(parameters?: Parameters): Promise<Tokens>
  exchange(parameters: Parameters): Promise<Tokens>
  /** @param intervalSeconds how long it waits between polls, whatever it was told */
  device(parameters: Parameters, intervalSeconds?: number): Promise<Device>
  userinfo(accessToken: string, subject: string): Promise<Record<string, unknown>>
  /** Calls a resource server; with a proof, if it has a key. */
  call(accessToken: string, url: URL): Promise<Response>
  introspect(token: string): Promise<Record<string, unknown>>
  revoke(token: string): Promise<void>
  endSessionUrl(parameters: Parameters): URL
}

export type Library = (options: ApplicationOptions) => Promise<Application>

/** Whether the answer to such a request brings an ID token. */
export const isOpenid = ({ scope = '' }: Parameters): boolean => scope.split(' ').includes('openid')
