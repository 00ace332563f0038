import { describe, expect, test } from '@jest/globals'
import { RegistrationRecord } from '@countersign/contracts/records'
import { buildClients, Secrets } from '@countersign/tokens'
import { readMetadata, type ClientMetadata } from '../registration/metadata.ts'
import { registrationRecord } from '../registration/record.ts'
import { createClientSource } from './source.ts'

const id = `cs_client_${'a'.repeat(22)}`
const lifetimes = { accessTokenMs: 1, refreshTokenMs: 1 }
const resources = [{ id: 'reports', audience: 'https://reports.example' }]
const registration = {
  enabled: true,
  initialAccessTokens: [],
  scopes: ['read', 'write'],
  grants: ['authorization_code'],
  audience: ['reports'],
}
const rules = { ...registration, authenticationMethods: ['none'], reach: { allowLoopback: false } } as const
const read = readMetadata({ redirect_uris: ['https://a.example/'], token_endpoint_auth_method: 'none' }, rules)
const { metadata } = read as { metadata: ClientMetadata }

/** A source over one registration that can be changed, and what it asked the store. */
function open() {
  const secrets = new Secrets()
  const configured = buildClients([{ id: 'batch' }], resources, secrets, lifetimes)
  const held = { version: 'one', metadata: JSON.stringify(metadata), settings: { registration, resources, lifetimes } }
  const asked: string[] = []
  const get = async ([key]: string[]) => {
    asked.push(key!)
    const { version, metadata: text } = held
    const value = RegistrationRecord.encode(registrationRecord({ clientId: id, metadata: text })).finish()
    return [version === '' ? undefined : { key: key!, version, value }]
  }
  const source = createClientSource({
    configured: () => configured,
    store: { get },
    secrets,
    settings: () => held.settings,
  })
  return { source, held, asked }
}

describe('the source of clients', () => {
  test('knows configured clients at once, and asks the store for nothing that is no registered id', () => {
    const { source, asked } = open()
    expect(source.find('batch')).toMatchObject({ id: 'batch' })
    for (const other of ['', 'nobody', id.slice(1), `${id}a`, `${id.slice(0, -1)}/`, id.toUpperCase()]) {
      expect(source.find(other)).toBeUndefined()
    }
    expect(asked).toEqual([])
  })

  test('asks for a registered client each time, and builds it anew only when it has changed', async () => {
    const { source, held, asked } = open()
    const first = await source.find(id)
    expect(first).toMatchObject({ id, registeredItself: true, scopes: ['read', 'write'], public: true })
    expect(await source.find(id)).toBe(first)
    held.version = 'two'
    held.metadata = JSON.stringify({ ...metadata, scope: 'read' })
    expect(await source.find(id)).toMatchObject({ scopes: ['read'] })
    held.version = ''
    expect(await source.find(id)).toBeUndefined()
    expect(asked).toHaveLength(4)
  })

  test('follows the configuration when that changes', async () => {
    const { source, held } = open()
    await source.find(id)
    held.settings = { ...held.settings, registration: { ...registration, scopes: ['write'], audience: [] } }
    expect(await source.find(id)).toMatchObject({ scopes: ['write'], audience: [] })
  })

  test('does not know a registration that is not finished', async () => {
    const { source, held } = open()
    held.metadata = ''
    expect(await source.find(id)).toBeUndefined()
  })
})
