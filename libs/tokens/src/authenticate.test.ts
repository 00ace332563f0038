import { describe, expect, test } from '@jest/globals'
import { authenticateClient, createClientAuthentication } from './authenticate.ts'
import { buildClients } from './build-clients.ts'
import { hashSecret, Secrets } from './secret.ts'

const secrets = new Secrets()
const lifetimes = { accessTokenMs: 1, refreshTokenMs: 1 }
const secret = (text: string) => ({ reveal: () => text })
const clients = buildClients(
  [
    { id: 'batch', secret: secret('one'), previousSecret: secret('two') },
    { id: 'web', public: true },
    { id: 'mesh', tlsClientAuthSanDns: 'mesh.internal' },
  ],
  [],
  secrets,
  lifetimes,
)
const open = { blockedSeconds: () => undefined, fail: () => undefined }
const authentication = createClientAuthentication(() => clients, secrets, open)
const refusal = { code: 'invalid_client', message: 'client authentication failed' }
const form = (entries: Record<string, string>) => new Map(Object.entries(entries))
const address = '127.0.0.1'
const parseBasic = (header: string | undefined) => {
  const [id, secret] = header?.split(':') ?? []
  return id === undefined || secret === undefined ? undefined : { id, secret }
}
const request = (authorization?: string, posted = form({})) => ({
  authorization,
  parseBasic,
  form: posted,
  address,
  path: '/oauth2/token',
})

describe('client authentication', () => {
  test('takes either of two overlapping secrets, in the header or in the form', () => {
    const posted = form({ client_id: 'batch', client_secret: 'one' })
    expect(authenticateClient(authentication, request('batch:two'), false)).toMatchObject({ id: 'batch' })
    expect(authenticateClient(authentication, request(undefined, posted), false)).toMatchObject({
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
    const hashed = buildClients([{ id: 'slow', secret: secret(await hashSecret('s')) }], [], secrets, lifetimes)
    const slow = createClientAuthentication(() => hashed, secrets, open)
    await expect(slow.confidential({ id: 'nobody', secret: 'x' }, address)).rejects.toMatchObject(refusal)
    await expect(slow.confidential({ id: 'slow', secret: 'x' }, address)).rejects.toMatchObject(refusal)
    await expect(slow.confidential({ id: 'nobody', secret: 's' }, address)).rejects.toMatchObject(refusal)
  })

  test('refuses two methods at once, and a client_id that is not who authenticates', () => {
    const extras: Record<string, string>[] = [
      { client_secret: 'one' },
      { client_id: 'web' },
      { client_assertion: 'x' },
      { client_assertion_type: 'x' },
    ]
    for (const extra of extras) {
      expect(() => authenticateClient(authentication, request('batch:one', form(extra)), false)).toThrow(
        expect.objectContaining({ code: 'invalid_request' }),
      )
    }
  })

  test('lets a public client name itself only where that is enough, and a confidential one never', () => {
    const named = (id: string) => request(undefined, form({ client_id: id }))
    expect(authenticateClient(authentication, named('web'), true)).toMatchObject({ id: 'web' })
    expect(() => authenticateClient(authentication, named('web'), false)).toThrow(expect.objectContaining(refusal))
    expect(() => authenticateClient(authentication, named('batch'), true)).toThrow(expect.objectContaining(refusal))
    const nothing = request()
    expect(() => authenticateClient(authentication, nothing, true)).toThrow('authentication is required')
  })

  test('remembers a header that was right, until its secrets are held anew', () => {
    let parsed = 0
    const counting = (header: string | undefined) => (parsed++, parseBasic(header))
    let current = clients
    const remembering = createClientAuthentication(() => current, secrets, open)
    const once = () => authenticateClient(remembering, { ...request('batch:one'), parseBasic: counting }, false)
    expect([once(), once(), once()]).toMatchObject([{ id: 'batch' }, { id: 'batch' }, { id: 'batch' }])
    expect(parsed).toBe(1)
    const second = request('batch:one', form({ client_secret: 'one' }))
    expect(() => authenticateClient(remembering, second, false)).toThrow(
      expect.objectContaining({ code: 'invalid_request' }),
    )
    current = buildClients([{ id: 'batch', secret: secret('changed') }], [], secrets, lifetimes)
    expect(once).toThrow(expect.objectContaining(refusal))
  })

  test('does not remember a header that was wrong', () => {
    const wrong = () => authenticateClient(authentication, request('batch:x'), false)
    expect(wrong).toThrow(expect.objectContaining(refusal))
    expect(wrong).toThrow(expect.objectContaining(refusal))
  })

  test('does not take another header for credentials that came in the form', () => {
    const posted = form({ client_id: 'batch', client_secret: 'one' })
    expect(authenticateClient(authentication, request('Bearer x', posted), false)).toMatchObject({ id: 'batch' })
    expect(() => authenticateClient(authentication, request('Bearer x'), false)).toThrow('authentication is required')
  })

  test('takes nothing but the way that a client is registered with', () => {
    const ways = buildClients(
      [
        { id: 'basic', secret: secret('s'), authenticationMethod: 'client_secret_basic' },
        { id: 'post', secret: secret('s'), authenticationMethod: 'client_secret_post' },
        { id: 'keyed', secret: secret('s'), authenticationMethod: 'private_key_jwt' },
        { id: 'mesh', secret: secret('s'), authenticationMethod: 'tls_client_auth' },
        { id: 'open', public: true, authenticationMethod: 'none' },
        { id: 'certified', public: true, authenticationMethod: 'tls_client_auth', tlsClientAuthSanDns: 'c.internal' },
        { id: 'proved', authenticationMethod: 'private_key_jwt', tlsClientAuthSanDns: 'p.internal' },
      ],
      [],
      secrets,
      lifetimes,
    )
    const strict = createClientAuthentication(() => ways, secrets, open)
    const taken = (asked: ReturnType<typeof request>) => {
      try {
        return (authenticateClient(strict, asked, true) as { id: string }).id
      } catch (thrown) {
        return (thrown as Error).message
      }
    }
    const basic = (id: string) => taken(request(`${id}:s`))
    const posted = (id: string) => taken(request(undefined, form({ client_id: id, client_secret: 's' })))
    const named = (id: string) => taken(request(undefined, form({ client_id: id })))
    const ids = ['basic', 'post', 'keyed', 'mesh', 'open', 'certified']
    const no = refusal.message
    expect(ids.map(basic)).toEqual(['basic', no, no, no, no, no])
    expect(ids.map(posted)).toEqual([no, 'post', no, no, no, no])
    expect(ids.map(named)).toEqual([no, no, no, no, 'open', no])
    expect(strict.certified({ subjectDn: '', sanDns: ['c.internal'] })).toMatchObject({ id: 'certified' })
    expect(strict.certified({ subjectDn: '', sanDns: ['p.internal'] })).toBeUndefined()
  })

  test('finds clients that are not in the configuration, and does not remember them', async () => {
    const [registered] = buildClients([{ id: 'late', secret: secret('s') }], [], secrets, lifetimes).values()
    const asked: string[] = []
    const find = async (id: string) => (asked.push(id), id === 'late' ? registered : undefined)
    const wider = createClientAuthentication(() => clients, secrets, open, { find })
    for (let n = 0; n < 2; n++) {
      expect(await authenticateClient(wider, request('late:s'), false)).toMatchObject({ id: 'late' })
    }
    await expect(authenticateClient(wider, request('late:x'), false)).rejects.toMatchObject(refusal)
    await expect(authenticateClient(wider, request('nobody:x'), false)).rejects.toMatchObject(refusal)
    expect(asked).toEqual(['late', 'late', 'late', 'nobody'])
    expect(authenticateClient(wider, request('batch:one'), false)).toMatchObject({ id: 'batch' })
    expect(() => authenticateClient(wider, request(`${'x'.repeat(129)}:x`), false)).toThrow(
      expect.objectContaining(refusal),
    )
    expect(asked).toHaveLength(4)
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

  test('waits for a throttle that others share', async () => {
    let failures = 0
    const throttle = {
      blockedSeconds: async () => (failures >= 1 ? 7 : undefined),
      fail: async () => void failures++,
    }
    const throttled = createClientAuthentication(() => clients, secrets, throttle)
    expect(await throttled.confidential({ id: 'batch', secret: 'one' }, address)).toMatchObject({ id: 'batch' })
    await expect(throttled.confidential({ id: 'batch', secret: 'x' }, address)).rejects.toMatchObject(refusal)
    expect(failures).toBe(1)
    await expect(throttled.confidential({ id: 'batch', secret: 'one' }, address)).rejects.toMatchObject({
      code: 'too_many_requests',
    })
  })
})
