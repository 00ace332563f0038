import * as client from 'openid-client'
import { isOpenid, type Application, type ApplicationOptions, type Credentials, type Tokens } from './application.ts'

function authenticationBy({ secret, key }: Credentials): client.ClientAuth {
  if (secret !== undefined) return client.ClientSecretBasic(secret)
  if (key) return client.PrivateKeyJwt({ key: key.privateKey, kid: key.id })
  return client.None()
}

const tokensOf = (answer: client.TokenEndpointResponse & client.TokenEndpointResponseHelpers): Tokens => ({
  accessToken: answer.access_token,
  refreshToken: answer.refresh_token,
  idToken: answer.id_token,
  tokenType: answer.token_type,
  scope: answer.scope,
  issuedTokenType: answer.issued_token_type,
  claims: answer.claims(),
})

/** Discovers the server; signatures of what it sends itself are verified, too. */
function discover({ issuerUrl, clientId, credentials = {}, ...options }: ApplicationOptions) {
  const { algorithm = 'RS256', asksSignedIntrospections } = options
  const metadata = {
    id_token_signed_response_alg: algorithm,
    ...(asksSignedIntrospections && { introspection_signed_response_alg: algorithm }),
  }
  const execute = [client.allowInsecureRequests, client.enableNonRepudiationChecks]
  return client.discovery(new URL(issuerUrl), clientId, metadata, authenticationBy(credentials), { execute })
}

/** An application written with openid-client. */
export async function withOpenidClient(options: ApplicationOptions): Promise<Application> {
  const server = await discover(options)
  const key = options.usesDpop ? client.getDPoPHandle(server, await client.randomDPoPKeyPair('ES256')) : undefined
  const proof = key ? { DPoP: key } : {}

  return {
    thumbprint: () => key!.calculateThumbprint(),

    async begin(parameters, isPushed = false) {
      const verifier = client.randomPKCECodeVerifier()
      const state = client.randomState()
      const nonce = isOpenid(parameters) ? client.randomNonce() : undefined
      const all = {
        ...parameters,
        code_challenge: await client.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        state,
        ...(nonce !== undefined && { nonce }),
      }
      const url = isPushed
        ? await client.buildAuthorizationUrlWithPAR(server, all, proof)
        : client.buildAuthorizationUrl(server, all)
      const maxAgeSeconds = parameters.max_age === undefined ? undefined : Number(parameters.max_age)
      return { url, state, nonce, verifier, maxAgeSeconds }
    },

    async redeem({ state, nonce, verifier, maxAgeSeconds }, answer) {
      const checks = {
        expectedState: state,
        pkceCodeVerifier: verifier,
        ...(nonce !== undefined && { expectedNonce: nonce }),
        ...(maxAgeSeconds !== undefined && { maxAge: maxAgeSeconds }),
      }
      return tokensOf(await client.authorizationCodeGrant(server, answer, checks, {}, proof))
    },

    refresh: async (token, parameters = {}) =>
      tokensOf(await client.refreshTokenGrant(server, token, parameters, proof)),

    clientCredentials: async (parameters = {}) =>
      tokensOf(await client.clientCredentialsGrant(server, parameters, proof)),

    exchange: async (parameters) => {
      const grant = 'urn:ietf:params:oauth:grant-type:token-exchange'
      return tokensOf(await client.genericGrantRequest(server, grant, parameters, proof))
    },

    async device(parameters, intervalSeconds) {
      const told = await client.initiateDeviceAuthorization(server, parameters)
      const waiting = { ...told, ...(intervalSeconds !== undefined && { interval: intervalSeconds }) }
      return {
        userCode: told.user_code,
        verificationUri: told.verification_uri,
        poll: async () => tokensOf(await client.pollDeviceAuthorizationGrant(server, waiting, {}, proof)),
      }
    },

    userinfo: (token, subject) => client.fetchUserInfo(server, token, subject, proof),
    call: (token, url) => client.fetchProtectedResource(server, token, url, 'GET', null, undefined, proof),
    introspect: (token) => client.tokenIntrospection(server, token),
    revoke: (token) => client.tokenRevocation(server, token),
    endSessionUrl: (parameters) => client.buildEndSessionUrl(server, parameters),
  }
}
