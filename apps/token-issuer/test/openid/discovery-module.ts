import { expect } from '@jest/globals'
import { createPublicKey, type JsonWebKey } from 'node:crypto'
import type { Metadata, PublicKey } from './provider.ts'
import type { Module } from './trial.ts'

/** Members of a key that only its owner may know, of a symmetric one too (RFC 7518 section 6). */
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

const lists = [
  'response_types_supported',
  'response_modes_supported',
  'grant_types_supported',
  'subject_types_supported',
  'scopes_supported',
  'claims_supported',
  'id_token_signing_alg_values_supported',
  'token_endpoint_auth_methods_supported',
  'display_values_supported',
  'code_challenge_methods_supported',
]

function checkEndpoints(metadata: Metadata): void {
  const urls = Object.entries(metadata).filter(([name]) => /(_endpoint|_uri)$/.test(name))
  const names = urls.map(([name]) => name)
  const needed = ['authorization_endpoint', 'token_endpoint', 'userinfo_endpoint', 'jwks_uri']
  expect(names).toEqual(expect.arrayContaining(needed))
  for (const [name, url] of urls) {
    expect([name, new URL(String(url)).protocol]).toEqual([name, 'https:'])
    expect([name, new URL(String(url)).hash]).toEqual([name, ''])
  }
}

function checkLists(metadata: Metadata): void {
  for (const name of lists) {
    const values = metadata[name] as string[]
    expect([name, values]).toEqual([name, expect.arrayContaining([expect.stringMatching(/./)])])
    expect(new Set(values).size).toBe(values.length)
  }
  expect(metadata.response_types_supported).toContain('code')
  expect(metadata.grant_types_supported).toContain('authorization_code')
  expect(metadata.scopes_supported).toContain('openid')
  expect(metadata.id_token_signing_alg_values_supported).toContain('RS256')
  expect(metadata.token_endpoint_auth_methods_supported).toContain('client_secret_basic')
  const subjects = metadata.subject_types_supported as string[]
  expect(subjects.filter((type) => !['public', 'pairwise'].includes(type))).toEqual([])
  const locales = [metadata.ui_locales_supported, metadata.claims_locales_supported].flatMap((list) => list ?? [])
  // Throws for what is no language tag (BCP 47).
  expect(Intl.getCanonicalLocales(locales as string[])).toEqual(locales)
  for (const [name, value] of Object.entries(metadata)) {
    if (/_parameter_supported$|^require_/.test(name)) expect([name, typeof value]).toEqual([name, 'boolean'])
  }
}

function checkKeys(keys: readonly PublicKey[]): void {
  expect(keys.map(({ kty }) => kty)).toContain('RSA')
  const ids = keys.map(({ kid }) => kid)
  expect(ids).toEqual(ids.map(() => expect.stringMatching(/./)))
  expect(new Set(ids).size).toBe(ids.length)
  for (const key of keys) {
    expect(privateMembers.filter((member) => member in key)).toEqual([])
    expect([undefined, 'sig']).toContain(key.use)
    const { modulusLength = 2_048 } = createPublicKey({ key: key as JsonWebKey, format: 'jwk' }).asymmetricKeyDetails!
    expect(modulusLength).toBeGreaterThanOrEqual(2_048)
  }
}

/** OpenID Connect Discovery 1.0 sections 3 and 4. */
export const discoveryModule: Module = async ({ provider: { issuer, call } }) => {
  const found = await call(`${issuer}/.well-known/openid-configuration`)
  expect(found.status).toBe(200)
  expect(found.headers['content-type']).toMatch(/^application\/json(;|$)/)
  const metadata = found.json<Metadata>()
  expect(metadata.issuer).toBe(issuer)
  expect(new URL(issuer)).toMatchObject({ protocol: 'https:', search: '', hash: '' })
  checkEndpoints(metadata)
  checkLists(metadata)
  const set = await call(metadata.jwks_uri)
  expect(set.status).toBe(200)
  checkKeys(set.json<{ keys: PublicKey[] }>().keys)
}
