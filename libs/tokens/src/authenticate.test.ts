import { describe, expect, test } from '@jest/globals'
import { authenticateClient, createClientAuthentication } from './authenticate.ts'
import { buildClients } from './build-clients.ts'
import { hashSecret, Secrets } from './secret.ts'

const secrets = new Secrets()
const secret = (text: string) => ({ reveal: () => text })
const clients = buildClients(
  [
    { id: 'batch', secret: secret('one'), previousSecret: secret('two') },
    { id: 'web', public: true },
    { id: 'mesh', tlsClientAuthSanDns: 'mesh.internal' },
  ],
  [],
  secrets,
  1,
)
const open = { blockedSeconds: () => undefined, fail: () => undefined }
const authentication = createClientAuthentication(() => clients, secrets, open)
const refusal = { code: 'invalid_client', message: 'client authentication failed' }
const form = (entries: Record<string, string>) => new Map(Object.entries(entries))
const address = '127.0.0.1'

describe('client authentication', () => {
  test('takes either of two overlapping secrets, in the header or in the form', () => {
    const basic = { id: 'batch', secret: 'two' }
    const posted = form({ client_id: 'batch', client_secret: 'one' })
    expect(authenticateClient(authentication, { basic, form: form({}), address }, false)).toMatchObject({ id: 'batch' })
    expect(authenticateClient(authentication, { basic: undefined, form: posted, address }, false)).toMatchObject({
      id: 'batch',
    })
  })

  test('refuses an unknown client and a wrong secret alike', () => {
    expect(() => authentication.confidential({ id: 'batch', secret: 'x' }, address)).toThrow(
      expect.objectContaining(refusal),
    )
    expect(() => authentication.confidential({ id: 'nobody', secret: 'one' }, address)).toThrow(
      expect.objectContaining(refusal),
    )
    expect(() => authentication.confidential({ id: 'web', secret: '' }, address)).toThrow(
      expect.objectContaining(refusal),
    )
  })

  test('takes as long for an unknown client where secrets are password hashes', async () => {
    const hashed = buildClients([{ id: 'slow', secret: secret(await hashSecret('s')) }], [], secrets, 1)
    const slow = createClientAuthentication(() => hashed, secrets, open)
    await expect(slow.confidential({ id: 'nobody', secret: 'x' }, address)).rejects.toMatchObject(refusal)
    await expect(slow.confidential({ id: 'slow', secret: 'x' }, address)).rejects.toMatchObject(refusal)
    await expect(slow.confidential({ id: 'nobody', secret: 's' }, address)).rejects.toMatchObject(refusal)
  })

  test('refuses two methods at once, and a client_id that is not who authenticates', () => {
    const basic = { id: 'batch', secret: 'one' }
    const extras: Record<string, string>[] = [{ client_secret: 'one' }, { client_id: 'web' }]
    for (const extra of extras) {
      const request = { basic, form: form(extra), address }
      expect(() => authenticateClient(authentication, request, false)).toThrow(
        expect.objectContaining({ code: 'invalid_request' }),
      )
    }
  })

  test('lets a public client name itself only where that is enough, and a confidential one never', () => {
    const named = (id: string) => ({ basic: undefined, form: form({ client_id: id }), address })
    expect(authenticateClient(authentication, named('web'), true)).toMatchObject({ id: 'web' })
    expect(() => authenticateClient(authentication, named('web'), false)).toThrow(expect.objectContaining(refusal))
    expect(() => authenticateClient(authentication, named('batch'), true)).toThrow(expect.objectContaining(refusal))
    const nothing = { basic: undefined, form: form({}), address }
    expect(() => authenticateClient(authentication, nothing, true)).toThrow('authentication is required')
  })

  test('knows a client by the names in its certificate', () => {
    expect(authentication.certified({ subjectDn: 'CN=x', sanDns: ['mesh.internal'] })).toMatchObject({ id: 'mesh' })
    expect(authentication.certified({ subjectDn: 'CN=mesh.internal', sanDns: [] })).toBeUndefined()
  })

  test('counts failures per client and address, and stops listening when told to', () => {
    const failures: string[] = []
    const throttle = {
      blockedSeconds: () => (failures.length >= 2 ? 7 : undefined),
      fail: (key: string) => void failures.push(key),
    }
    const throttled = createClientAuthentication(() => clients, secrets, throttle)
    for (let n = 0; n < 2; n++) expect(() => throttled.confidential({ id: 'batch', secret: 'x' }, address)).toThrow()
    expect(failures).toEqual(['127.0.0.1 batch', '127.0.0.1 batch'])
    expect(() => throttled.confidential({ id: 'batch', secret: 'one' }, address)).toThrow(
      expect.objectContaining({ code: 'too_many_requests', retryAfterSeconds: 7 }),
    )
  })
})
