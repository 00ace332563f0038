import { expect } from '@jest/globals'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Shown } from './browser.ts'
import type { Module, Parameters, Tokens, Trial } from './trial.ts'

const kinds = (shown: readonly Shown[]): string[] => shown.map(({ kind }) => kind)

/** Longer than a second, which is what `auth_time` is told in. */
const aMomentMs = 2_100

/** The flow, with a parameter about what the person sees. @returns the sign-in page */
async function signInPage(trial: Trial, parameters: Parameters): Promise<Shown> {
  const { authorization } = await trial.flow(parameters)
  const [page] = authorization.shown
  expect(page).toMatchObject({ kind: 'sign-in', status: 200 })
  return page!
}

/** The flow once more, in the browser that it was gone through in before. */
async function again(trial: Trial, more: (first: Tokens) => Parameters, waitMs = 0) {
  const { tokens: first } = await trial.flow()
  await sleep(waitMs)
  const { authorization, tokens: second } = await trial.flow(more(first))
  expect(second.idToken.sub).toBe(first.idToken.sub)
  return { first: first.idToken, second: second.idToken, shown: authorization.shown }
}

/** Nobody is asked for anything, and the sign-in is the one there was. */
async function checkSilent(trial: Trial, more: (first: Tokens) => Parameters): Promise<void> {
  const { first, second, shown } = await again(trial, more, aMomentMs)
  expect(kinds(shown)).toEqual([])
  expect(second.auth_time).toEqual(expect.any(Number))
  expect(second.auth_time).toBe(first.auth_time)
}

/** The person signs in a second time, is told why, and the ID token says when. */
async function checkSignInAgain(trial: Trial, more: Parameters) {
  const { first, second, shown } = await again(trial, () => more, aMomentMs)
  expect(kinds(shown)).toContain('sign-in')
  expect(shown[0]!.text).toContain('once more')
  expect(second.auth_time).toBeGreaterThan(first.auth_time!)
  return second
}

/** What the person sees and is asked, and how often. */
export const personModules: Readonly<Record<string, Module>> = {
  'oidcc-display-page': async (trial) => {
    expect((await signInPage(trial, { display: 'page' })).fits).toBe(true)
  },

  'oidcc-display-popup': async (trial) => {
    await trial.person.resize(400, 500)
    expect((await signInPage(trial, { display: 'popup' })).fits).toBe(true)
  },

  'oidcc-ui-locales': async (trial) => {
    await signInPage(trial, { ui_locales: 'se' })
  },

  'oidcc-login-hint': async (trial) => {
    expect((await signInPage(trial, { login_hint: 'grace@people.example' })).loginName).toBe('grace@people.example')
  },

  'oidcc-prompt-login': async (trial) => {
    await checkSignInAgain(trial, { prompt: 'login' })
  },

  'oidcc-prompt-none-not-logged-in': async (trial) => {
    const authorization = await trial.authorize({ prompt: 'none' })
    expect(kinds(authorization.shown)).toEqual([])
    expect(['login_required', 'interaction_required']).toContain(trial.error(authorization))
  },

  'oidcc-prompt-none-logged-in': (trial) => checkSilent(trial, () => ({ prompt: 'none' })),

  'oidcc-max-age-1': async (trial) => {
    const { auth_time: at, iat } = await checkSignInAgain(trial, { max_age: '1' })
    // What it takes to get from the sign-in page to the token endpoint.
    expect(iat - at!).toBeLessThan(10)
  },

  'oidcc-max-age-10000': (trial) => checkSilent(trial, () => ({ max_age: '10000' })),

  'oidcc-id-token-hint': (trial) =>
    checkSilent(trial, ({ rawIdToken }) => ({ prompt: 'none', id_token_hint: rawIdToken })),
}
