import { expect } from '@jest/globals'
import { createHash, randomBytes } from 'node:crypto'
import type { Module } from './trial.ts'

/** The flow itself: how it is begun, and what comes of it. */
export const flowModules: Readonly<Record<string, Module>> = {
  'oidcc-server': async (trial) => {
    const { authorization, tokens } = await trial.flow()
    expect(authorization.shown.map(({ kind }) => kind)).toContain('sign-in')
    await trial.userinfo(tokens)
  },

  'oidcc-response-type-missing': async (trial) => {
    const authorization = await trial.authorize({ response_type: undefined })
    expect(['invalid_request', 'unsupported_response_type']).toContain(trial.error(authorization))
  },

  'oidcc-idtoken-signature': async (trial) => {
    expect(trial.provider.metadata.id_token_signing_alg_values_supported).toContain('RS256')
    const { tokens } = await trial.flow()
    // Verified with that key and no other.
    expect(tokens.header).toMatchObject({ alg: 'RS256', kid: expect.stringMatching(/./) })
  },

  'oidcc-idtoken-unsigned': async (trial) => {
    expect(trial.provider.metadata.id_token_signing_alg_values_supported).not.toContain('none')
    return 'skipped'
  },

  'oidcc-ensure-request-without-nonce-succeeds-for-code-flow': async (trial) => {
    const { tokens } = await trial.flow({ nonce: undefined })
    expect(tokens.idToken).not.toHaveProperty('nonce')
  },

  'oidcc-alternate-happy-flow': async (trial) => {
    const reversed = Object.entries(trial.request({ scope: 'email openid' })).reverse()
    const parameters = Object.fromEntries(reversed)
    const shown = await trial.person.visit(trial.authorizationUrl(parameters))
    const tokens = await trial.tokens(trial.authorization(parameters, shown))
    expect(await trial.userinfo(tokens)).toHaveProperty('email')
    trial.warnUnless(!('email' in tokens.idToken), 'the ID token has email')
  },

  'oidcc-ensure-post-request-succeeds': async (trial) => {
    const parameters = trial.request()
    const { authorization_endpoint: endpoint } = trial.provider.metadata
    const shown = await trial.person.send(trial.callback.formPage(endpoint, parameters))
    await trial.userinfo(await trial.tokens(trial.authorization(parameters, shown)))
  },

  'oidcc-server-client-secret-post': async (trial) => {
    expect(trial.provider.metadata.token_endpoint_auth_methods_supported).toContain('client_secret_post')
    const { tokens } = await trial.flow({}, trial.provider.clients.posting)
    await trial.userinfo(tokens)
  },

  'oidcc-ensure-request-with-valid-pkce-succeeds': async (trial) => {
    const verifier = randomBytes(32).toString('base64url')
    const challenge = createHash('sha256').update(verifier).digest('base64url')
    const authorization = await trial.authorize({ code_challenge: challenge, code_challenge_method: 'S256' })
    await trial.userinfo(await trial.tokens(authorization, { code_verifier: verifier }))
  },

  'oidcc-ensure-request-with-unknown-parameter-succeeds': async (trial) => {
    await trial.flow({ unheard_of: 'in no document' })
  },

  'oidcc-ensure-request-with-acr-values-succeeds': async (trial) => {
    const offered = trial.provider.metadata.acr_values_supported as string[] | undefined
    const wanted = offered ?? ['1', '2']
    const { tokens } = await trial.flow({ acr_values: wanted.join(' ') })
    trial.warnUnless(wanted.includes(String(tokens.idToken.acr)), 'the ID token has no acr that was asked for')
  },
}
