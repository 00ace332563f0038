import { expect } from '@jest/globals'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Authorization, Module, Trial } from './trial.ts'

/** A request object with `alg: none` (OpenID Connect Core section 6.1). */
function unsigned({ provider }: Trial, parameters: Record<string, string>): string {
  const claims = { iss: parameters.client_id, aud: provider.issuer, ...parameters }
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'none' })}.${part(claims)}.`
}

/** An error page, which says what is wrong; the application hears nothing. */
function checkErrorPage(trial: Trial, { shown, received, parameters }: Authorization): void {
  expect(shown).toMatchObject([{ kind: 'error', status: 400, text: expect.stringMatching(/redirect_uri/i) }])
  expect(received).toEqual([])
  expect(trial.person.url.href).toBe(trial.authorizationUrl(parameters))
}

/** A code that was redeemed is presented again. */
async function checkReuse(trial: Trial, waitMs: number): Promise<void> {
  const { authorization, tokens } = await trial.flow()
  await trial.userinfo(tokens)
  await sleep(waitMs)
  const reply = await trial.redeem(authorization)
  expect(reply.status).toBe(400)
  expect(reply.headers['content-type']).toMatch(/^application\/json(;|$)/)
  expect(reply.json()).toMatchObject({ error: 'invalid_grant' })
  const { status } = await trial.askUserinfo(tokens.accessToken)
  trial.warnUnless(status === 401, `the access token that came of the code is still good: ${status}`)
}

/** Gets tokens for offline use and refreshes them. @returns the newest refresh token */
async function refreshed(trial: Trial, client = trial.provider.clients.first): Promise<string> {
  const { tokens: first } = await trial.flow({ scope: 'openid offline_access', prompt: 'consent' }, client)
  expect(first.refreshToken).toEqual(expect.any(String))
  const grant = { grant_type: 'refresh_token', refresh_token: first.refreshToken! }
  const { nonce } = first.idToken
  const reply = await trial.post(client, grant)
  const told = JSON.parse(Buffer.from(String(reply.json().id_token).split('.')[1]!, 'base64url').toString())
  // Core section 12.2: none, or the one there was.
  const second = trial.read(reply, client, 'nonce' in told ? nonce : undefined)
  const { iss, sub, aud, azp, auth_time: authTime } = first.idToken
  expect(second.idToken).toMatchObject({ iss, sub, aud, auth_time: authTime })
  expect(second.idToken.azp).toBe(azp)
  expect(second.idToken.iat).toBeGreaterThanOrEqual(first.idToken.iat)
  expect(second.accessToken).not.toBe(first.accessToken)
  await trial.userinfo(second)
  return second.refreshToken ?? first.refreshToken!
}

/** What is refused, and how. */
export const refusalModules: Readonly<Record<string, Module>> = {
  'oidcc-codereuse': (trial) => checkReuse(trial, 0),
  'oidcc-codereuse-30seconds': (trial) => checkReuse(trial, 30_000),

  'oidcc-ensure-registered-redirect-uri': async (trial) => {
    checkErrorPage(trial, await trial.authorize({ redirect_uri: `${trial.callback.redirectUri}/elsewhere` }))
  },

  'oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported': async (trial) => {
    expect(trial.provider.metadata.request_uri_parameter_supported).toBe(false)
    const authorization = await trial.authorize({ request_uri: trial.callback.requestUri })
    expect(trial.error(authorization)).toBe('request_uri_not_supported')
    const { pathname } = new URL(trial.callback.requestUri)
    expect(trial.callback.received.filter(({ path }) => path === pathname)).toEqual([])
  },

  'oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported': async (trial) => {
    expect(trial.provider.metadata.request_parameter_supported).toBe(false)
    const request = unsigned(trial, trial.request())
    expect(trial.error(await trial.authorize({ request, nonce: undefined }))).toBe('request_not_supported')
  },

  'oidcc-ensure-request-object-with-redirect-uri': async (trial) => {
    const inner = trial.request()
    const request = unsigned(trial, inner)
    const outer = { redirect_uri: `${trial.callback.redirectUri}/elsewhere`, state: inner.state! }
    checkErrorPage(trial, await trial.authorize({ ...outer, request }))
  },

  'oidcc-refresh-token': async (trial) => {
    const { first, second } = trial.provider.clients
    expect(trial.provider.metadata.grant_types_supported).toContain('refresh_token')
    await refreshed(trial, first)
    const reply = await trial.post(first, {
      grant_type: 'refresh_token',
      refresh_token: await refreshed(trial, second),
    })
    expect([reply.status, reply.json().error]).toEqual([400, 'invalid_grant'])
  },
}
