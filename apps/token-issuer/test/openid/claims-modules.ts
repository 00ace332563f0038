import { expect } from '@jest/globals'
import { account } from './provider.ts'
import type { Module, Trial } from './trial.ts'

/** What each scope stands for (OpenID Connect Core section 5.4). */
const claimsOf: Readonly<Record<string, readonly string[]>> = {
  profile: [
    'name',
    'family_name',
    'given_name',
    'middle_name',
    'nickname',
    'preferred_username',
    'profile',
    'picture',
    'website',
    'gender',
    'birthdate',
    'zoneinfo',
    'locale',
    'updated_at',
  ],
  email: ['email', 'email_verified'],
  address: ['address'],
  phone: ['phone_number', 'phone_number_verified'],
}
const known = Object.values(claimsOf).flat()

/** Section 5.1: text, but for these. */
const types: Readonly<Record<string, string>> = {
  email_verified: 'boolean',
  phone_number_verified: 'boolean',
  updated_at: 'number',
  address: 'object',
}

function checkTypes(claims: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(claims)) {
    expect([name, value === null ? 'null' : typeof value]).toEqual([name, types[name] ?? 'string'])
  }
}

/** Every claim of the scopes at userinfo and none of another; in the ID token, where nobody asked for them, none. */
async function checkScopes(trial: Trial, ...scopes: string[]): Promise<void> {
  const { tokens } = await trial.flow({ scope: ['openid', ...scopes].join(' ') })
  const { sub: _, ...claims } = await trial.userinfo(tokens)
  checkTypes(claims)
  const { updated_at: updatedAt, ...rest } = claims
  const asked = scopes.flatMap((scope) => claimsOf[scope]!)
  const held = Object.entries(account.claims).filter(([name]) => asked.includes(name))
  expect(rest).toEqual(Object.fromEntries(held))
  expect(Number.isInteger(updatedAt)).toBe(scopes.includes('profile'))
  const told = known.filter((name) => name in tokens.idToken)
  trial.warnUnless(told.length === 0, `the ID token has ${told.join(', ')}`)
}

const checkUserinfo =
  (way: 'get' | 'post-header' | 'post-body'): Module =>
  async (trial) => {
    const { tokens } = await trial.flow()
    const reply = await trial.askUserinfo(tokens.accessToken, way)
    // The body is the one way that a provider may do without.
    if (way === 'post-body') return trial.warnUnless(reply.status === 200, `it answers ${reply.status}`)
    expect(reply.status).toBe(200)
    expect(reply.headers['content-type']).toMatch(/^application\/json(;|$)/)
    expect(reply.json()).toEqual({ sub: tokens.idToken.sub })
  }

/** What is told of a person, and where. */
export const claimsModules: Readonly<Record<string, Module>> = {
  'oidcc-userinfo-get': checkUserinfo('get'),
  'oidcc-userinfo-post-header': checkUserinfo('post-header'),
  'oidcc-userinfo-post-body': checkUserinfo('post-body'),
  'oidcc-scope-profile': (trial) => checkScopes(trial, 'profile'),
  'oidcc-scope-email': (trial) => checkScopes(trial, 'email'),
  'oidcc-scope-address': (trial) => checkScopes(trial, 'address'),
  'oidcc-scope-phone': (trial) => checkScopes(trial, 'phone'),
  'oidcc-scope-all': (trial) => checkScopes(trial, 'profile', 'email', 'address', 'phone'),

  'oidcc-claims-essential': async (trial) => {
    expect(trial.provider.metadata.claims_parameter_supported).toBe(true)
    const { tokens } = await trial.flow({ claims: JSON.stringify({ userinfo: { name: { essential: true } } }) })
    const { name } = await trial.userinfo(tokens)
    trial.warnUnless(typeof name === 'string' && name !== '', 'userinfo has no name')
  },

  'oidcc-claims-locales': async (trial) => {
    const { tokens } = await trial.flow({ scope: 'openid profile', claims_locales: 'se' })
    checkTypes(await trial.userinfo(tokens))
  },
}
