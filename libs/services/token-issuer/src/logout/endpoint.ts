import {
  networkOf,
  pageFailure,
  parseForm,
  parseQuery,
  type HttpAnswer,
  type HttpRequest,
  type Route,
} from '@countersign/chassis'
import { Failure } from '@countersign/contracts'
import type { Client } from '@countersign/tokens'
import type { KeyRing } from '@countersign/tokens/keys'
import { seeOther } from '../authorization/answer.ts'
import type { ClientSource } from '../clients/source.ts'
import type { Limiter } from '../limiter.ts'
import type { LogoutRequests } from './requests.ts'

export interface LogoutEndpointOptions {
  issuer: string
  find: ClientSource['find']
  logoutRequests: Pick<LogoutRequests, 'keep'>
  keyRing: Pick<KeyRing, 'verify'>
  /** Requests of one client and address. */
  limiter: Limiter
}

/** What an ID token of ours tells, however old it is. */
interface Hint {
  readonly clientId: string
  readonly session: string
  readonly subject: string
}

/**
 * `GET` and `POST /oauth2/logout` (OpenID Connect RP-Initiated Logout 1.0): checks what the application sent, and hands the
 * browser over to the sign-out page. Of its parameters `logout_hint` and `ui_locales` are not looked at.
 */
export function logoutEndpoint({ issuer, find, logoutRequests, keyRing, limiter }: LogoutEndpointOptions): Route {
  async function logout({ query, body, method, headers, address }: HttpRequest): Promise<HttpAnswer> {
    const given = method === 'POST' ? parseForm(body, headers['content-type']) : parseQuery(query)
    const hint = await hintOf(given.get('id_token_hint'))
    const client = await clientOf(given.get('client_id'), hint)
    await limiter.take(`${client?.id ?? ''} ${networkOf(address)}`)
    const redirectUri = given.get('post_logout_redirect_uri') ?? ''
    if (!client) {
      if (redirectUri === '') return seeOther(`${issuer}/logout`)
      throw new Failure('invalid_request', 'post_logout_redirect_uri needs a client_id or an id_token_hint')
    }
    if (redirectUri !== '' && !client.postLogoutRedirectUris.includes(redirectUri)) {
      throw new Failure('invalid_request', 'post_logout_redirect_uri is not one that the application registered')
    }
    const handle = await logoutRequests.keep({
      clientId: client.id,
      redirectUri,
      state: given.get('state') ?? '',
      hintedSession: hint?.session ?? '',
      hintedSubject: hint?.subject ?? '',
    })
    return seeOther(`${issuer}/logout?request=${handle}`)
  }

  /** @throws Failure `invalid_request` for what is no ID token of ours */
  async function hintOf(idToken: string | undefined): Promise<Hint | undefined> {
    if (idToken === undefined) return undefined
    const { payload } = (await keyRing.verify(idToken, { typ: 'JWT' })) ?? {}
    if (payload?.iss !== issuer || typeof payload.aud !== 'string' || typeof payload.sub !== 'string') {
      throw new Failure('invalid_request', 'id_token_hint is no ID token of ours')
    }
    return { clientId: payload.aud, session: typeof payload.sid === 'string' ? payload.sid : '', subject: payload.sub }
  }

  /** @throws Failure `invalid_request` for one that is not known, or not the one of the hint */
  async function clientOf(id: string | undefined, hint: Hint | undefined): Promise<Client | undefined> {
    if (id !== undefined && hint && id !== hint.clientId) {
      throw new Failure('invalid_request', 'client_id is not who the id_token_hint was given to')
    }
    const named = id ?? hint?.clientId
    const client = named === undefined ? undefined : await find(named)
    if (named !== undefined && !client)
      throw new Failure('invalid_request', 'there is no application of that client_id')
    return client
  }

  return { path: '/oauth2/logout', methods: { GET: logout, POST: logout }, onFailure: pageFailure }
}
