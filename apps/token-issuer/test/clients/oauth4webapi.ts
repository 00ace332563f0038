import { setTimeout as sleep } from 'node:timers/promises'
import * as oauth from 'oauth4webapi'
import {
  isOpenid,
  type Application,
  type ApplicationOptions,
  type Begun,
  type Credentials,
  type Parameters,
  type Tokens,
} from './application.ts'

function authenticationBy({ secret, key }: Credentials): oauth.ClientAuth {
  if (secret !== undefined) return oauth.ClientSecretPost(secret)
  if (key) return oauth.PrivateKeyJwt({ key: key.privateKey, kid: key.id })
  return oauth.None()
}

const insecure = { [oauth.allowInsecureRequests]: true }

/** What the server tells of itself. */
export async function discover(issuerUrl: string): Promise<oauth.AuthorizationServer> {
  const issuer = new URL(issuerUrl)
  return oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure))
}

/** An application written with oauth4webapi: each step by itself. */
export async function withOauth4webapi(options: ApplicationOptions): Promise<Application> {
  const server = await discover(options.issuerUrl)
  const keys = options.usesDpop ? await oauth.generateKeyPair('ES256') : undefined
  return new Oauth4webapi(server, options, keys)
}

class Oauth4webapi implements Application {
  readonly #server: oauth.AuthorizationServer
  readonly #client: oauth.Client
  readonly #by: oauth.ClientAuth
  readonly #key: oauth.DPoPHandle | undefined
  /** How it sends. */
  readonly #how: { [oauth.allowInsecureRequests]: boolean; DPoP?: oauth.DPoPHandle }

  constructor(server: oauth.AuthorizationServer, options: ApplicationOptions, keys: oauth.CryptoKeyPair | undefined) {
    const { clientId, credentials = {}, algorithm = 'RS256', asksSignedIntrospections } = options
    this.#server = server
    this.#client = {
      client_id: clientId,
      id_token_signed_response_alg: algorithm,
      ...(asksSignedIntrospections && { introspection_signed_response_alg: algorithm }),
    }
    this.#by = authenticationBy(credentials)
    this.#key = keys && oauth.DPoP(this.#client, keys)
    this.#how = { ...insecure, ...(this.#key && { DPoP: this.#key }) }
  }

  thumbprint = (): Promise<string> => this.#key!.calculateThumbprint()

  async begin(parameters: Parameters, isPushed = false): Promise<Begun> {
    const verifier = oauth.generateRandomCodeVerifier()
    const state = oauth.generateRandomState()
    const nonce = isOpenid(parameters) ? oauth.generateRandomNonce() : undefined
    const all = {
      ...parameters,
      client_id: this.#client.client_id,
      response_type: 'code',
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state,
      ...(nonce !== undefined && { nonce }),
    }
    const url = new URL(this.#server.authorization_endpoint!)
    for (const [name, value] of Object.entries(isPushed ? await this.#push(all) : all))
      url.searchParams.set(name, value)
    const maxAgeSeconds = parameters.max_age === undefined ? undefined : Number(parameters.max_age)
    return { url, state, nonce, verifier, maxAgeSeconds }
  }

  async #push(parameters: Parameters): Promise<Parameters> {
    const { request_uri } = await this.#asked(
      () => oauth.pushedAuthorizationRequest(this.#server, this.#client, this.#by, parameters, this.#how),
      (response) => oauth.processPushedAuthorizationResponse(this.#server, this.#client, response),
    )
    return { client_id: this.#client.client_id, request_uri }
  }

  async redeem({ state, nonce, verifier, maxAgeSeconds }: Begun, answer: URL | Request): Promise<Tokens> {
    const given = answer instanceof URL ? answer : new URLSearchParams(await answer.text())
    const redirectUri = answer instanceof URL ? answer.origin + answer.pathname : answer.url
    const callback = oauth.validateAuthResponse(this.#server, this.#client, given, state)
    return this.#granted(
      () => {
        const [server, client] = [this.#server, this.#client]
        return oauth.authorizationCodeGrantRequest(server, client, this.#by, callback, redirectUri, verifier, this.#how)
      },
      (response) =>
        oauth.processAuthorizationCodeResponse(this.#server, this.#client, response, {
          ...(nonce !== undefined && { expectedNonce: nonce }),
          ...(maxAgeSeconds !== undefined && { maxAge: maxAgeSeconds }),
          requireIdToken: nonce !== undefined,
        }),
    )
  }

  refresh = (token: string, parameters: Parameters = {}): Promise<Tokens> =>
    this.#granted(
      () => {
        const how = { ...this.#how, additionalParameters: parameters }
        return oauth.refreshTokenGrantRequest(this.#server, this.#client, this.#by, token, how)
      },
      (response) => oauth.processRefreshTokenResponse(this.#server, this.#client, response),
    )

  clientCredentials = (parameters: Parameters = {}): Promise<Tokens> =>
    this.#granted(
      () => oauth.clientCredentialsGrantRequest(this.#server, this.#client, this.#by, parameters, this.#how),
      (response) => oauth.processClientCredentialsResponse(this.#server, this.#client, response),
    )

  exchange = (parameters: Parameters): Promise<Tokens> =>
    this.#granted(
      () => {
        const grant = 'urn:ietf:params:oauth:grant-type:token-exchange'
        return oauth.genericTokenEndpointRequest(this.#server, this.#client, this.#by, grant, parameters, this.#how)
      },
      (response) => oauth.processGenericTokenEndpointResponse(this.#server, this.#client, response),
    )

  async device(parameters: Parameters, intervalSeconds?: number) {
    const response = await oauth.deviceAuthorizationRequest(this.#server, this.#client, this.#by, parameters, insecure)
    const told = await oauth.processDeviceAuthorizationResponse(this.#server, this.#client, response)
    const poll = () => this.#poll(told.device_code, intervalSeconds ?? told.interval ?? 5, told.expires_in)
    return { userCode: told.user_code, verificationUri: told.verification_uri, poll }
  }

  /** RFC 8628 section 3.5. */
  async #poll(code: string, intervalSeconds: number, expiresInSeconds: number): Promise<Tokens> {
    for (let waitedSeconds = 0; waitedSeconds < expiresInSeconds; waitedSeconds += intervalSeconds) {
      await sleep(intervalSeconds * 1_000)
      try {
        return await this.#granted(
          () => oauth.deviceCodeGrantRequest(this.#server, this.#client, this.#by, code, this.#how),
          (response) => oauth.processDeviceCodeResponse(this.#server, this.#client, response),
        )
      } catch (thrown) {
        if (!(thrown instanceof oauth.ResponseBodyError)) throw thrown
        if (thrown.error === 'slow_down') intervalSeconds += 5
        else if (thrown.error !== 'authorization_pending') throw thrown
      }
    }
    throw new Error('nobody decided')
  }

  userinfo = (token: string, subject: string): Promise<Record<string, unknown>> =>
    this.#asked(
      () => oauth.userInfoRequest(this.#server, this.#client, token, this.#how),
      (response) => oauth.processUserInfoResponse(this.#server, this.#client, subject, response),
    )

  call = (token: string, url: URL): Promise<Response> =>
    oauth.protectedResourceRequest(token, 'GET', url, undefined, null, this.#how)

  async introspect(token: string): Promise<Record<string, unknown>> {
    const response = await oauth.introspectionRequest(this.#server, this.#client, this.#by, token, insecure)
    const answer = await oauth.processIntrospectionResponse(this.#server, this.#client, response)
    if (this.#client.introspection_signed_response_alg !== undefined) await this.#verify(response)
    return answer
  }

  async revoke(token: string): Promise<void> {
    const response = await oauth.revocationRequest(this.#server, this.#client, this.#by, token, insecure)
    await oauth.processRevocationResponse(response)
  }

  endSessionUrl(parameters: Parameters): URL {
    const url = new URL(this.#server.end_session_endpoint!)
    const all = { client_id: this.#client.client_id, ...parameters }
    for (const [name, value] of Object.entries(all)) url.searchParams.set(name, value)
    return url
  }

  /** Once more with the nonce, where the server asks for one (RFC 9449 section 8). */
  async #asked<T>(send: () => Promise<Response>, process: (response: Response) => Promise<T>): Promise<T> {
    try {
      return await process(await send())
    } catch (thrown) {
      if (!this.#key || !oauth.isDPoPNonceError(thrown)) throw thrown
      return process(await send())
    }
  }

  async #granted(
    send: () => Promise<Response>,
    process: (response: Response) => Promise<oauth.TokenEndpointResponse>,
  ): Promise<Tokens> {
    let last: Response | undefined
    const answer = await this.#asked(async () => (last = await send()), process)
    if (answer.id_token !== undefined) await this.#verify(last!)
    return {
      accessToken: answer.access_token,
      refreshToken: answer.refresh_token,
      idToken: answer.id_token,
      tokenType: answer.token_type,
      scope: answer.scope,
      issuedTokenType: answer.issued_token_type,
      claims: oauth.getValidatedIdTokenClaims(answer),
    }
  }

  /** The signature of what came in a response. */
  #verify = (response: Response): Promise<void> =>
    oauth.validateApplicationLevelSignature(this.#server, response, insecure)
}
