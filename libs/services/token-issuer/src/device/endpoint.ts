import { networkOf, oauthFailure, type HttpAnswer, type HttpRequest, type Route } from '@countersign/chassis'
import { Failure } from '@countersign/contracts'
import { grantedAudience, grantedScope } from '@countersign/tokens'
import { readClientRequest, type ClientRequestOptions } from '../client-request.ts'
import type { Limiter } from '../limiter.ts'
import type { Possession } from '../possession.ts'
import { decidingFor, resourcesOf } from '../token/request.ts'
import type { DeviceCodes } from './codes.ts'

export const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code'

export interface DeviceEndpointOptions extends ClientRequestOptions {
  issuer: string
  codes: DeviceCodes
  possession: Possession
  /** Requests of one client and address. */
  limiter: Limiter
  now: () => number
  commitId: () => string
}

/** `POST /oauth2/device_authorization` (RFC 8628 section 3.1). */
export function deviceAuthorizationEndpoint(options: DeviceEndpointOptions): Route {
  const { issuer, codes, possession, limiter } = options

  async function post(http: HttpRequest): Promise<HttpAnswer> {
    const { form, client } = await readClientRequest(http, options, ['resource'])
    if (client.public) await limiter.take(`${client.id} ${networkOf(http.address)}`)
    if (!client.grants.includes(deviceGrant)) {
      throw new Failure('unauthorized_client', 'this client may not use device codes')
    }
    const terms = {
      scope: grantedScope(client.scopes, form.get('scope')),
      audience: grantedAudience(client.audience, resourcesOf(form)),
      dpopJkt: (await possession.dpopKey(http, 'device_authorization')) ?? '',
    }
    const begun = await codes.begin(client, terms, () => decidingFor({ client, http }, options))
    const { deviceCode, userCode, expiresIn, interval } = begun
    const body = {
      device_code: deviceCode,
      user_code: userCode,
      verification_uri: `${issuer}/device`,
      verification_uri_complete: `${issuer}/device?user_code=${userCode}`,
      expires_in: expiresIn,
      interval,
    }
    const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' }
    return { status: 200, headers, body: JSON.stringify(body) }
  }

  return {
    path: '/oauth2/device_authorization',
    isForAnyOrigin: true,
    methods: { POST: post },
    onFailure: oauthFailure,
  }
}
