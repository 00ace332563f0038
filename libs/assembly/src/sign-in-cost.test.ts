import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { newTotpSecret, Passwords, totpText } from '@countersign/accounts'
import { createInProcessBus } from '@countersign/bus/in-process'
import { createHttpServer, createLimiters } from '@countersign/chassis'
import { loadConfig } from '@countersign/chassis/config'
import { createLogger } from '@countersign/chassis/log'
import { freePort, Visitor } from '@countersign/servers'
import { AccountDirectory } from '@countersign/service-login'
import { HostileProvider } from '@countersign/service-login/testing/hostile-provider'
import { createMemoryStore } from '@countersign/store/memory'
import { seal, system } from '@countersign/tokens'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { Secret, TOTP } from 'otpauth'
import { layFoundation } from './foundation.ts'
import { assembleLogin } from './login.ts'
import { RoundTrips, type Asked } from './testing/round-trips.ts'
import { assembleTokenIssuer } from './token-issuer.ts'

const mostRoundTrips = 5
const redirectUri = 'https://app.example/callback'
const password = 'correct horse battery'

const configOf = (issuer: string, provider: HostileProvider, partitions: number): string => {
  const client = `public: true, grants: [authorization_code], scopes: [openid], redirect_uris: ['${redirectUri}']`
  const { clientId, clientSecret } = provider
  return `version: 1
issuer: ${issuer}
master_key: ${randomBytes(32).toString('base64url')}
store: { url: redis://127.0.0.1:1, partitions: ${partitions} }
audit: { url: 'sqlite:./audit.db', relay: paused }
clients:
  - { id: own, consent: false, ${client} }
  - { id: web, ${client} }
providers:
  - { id: idp, kind: oidc, issuer: ${provider.issuer}, client_id: ${clientId}, client_secret: '${clientSecret}' }
  - { id: staff, kind: local }
`
}

/** login and token-issuer in one process, on a store that counts. */
async function openWorld(provider: HostileProvider, partitions = 1) {
  const issuer = `http://127.0.0.1:${await freePort()}`
  const folder = mkdtempSync(join(tmpdir(), 'countersign-sign-in-cost-'))
  const file = join(folder, 'countersign.yaml')
  writeFileSync(file, configOf(issuer, provider, partitions))
  const { config } = loadConfig({ file, env: {}, cwd: folder })
  const log = createLogger({ name: 'test', level: 'silent' })
  const foundation = layFoundation(config, log, 'test', false)
  const trips = new RoundTrips()
  const [store, limiter] = [trips.store(createMemoryStore()), trips.limiter(createLimiters({}))]
  const tokenIssuer = await assembleTokenIssuer(foundation, store, createInProcessBus(), limiter)
  const parts = [tokenIssuer, assembleLogin(foundation, tokenIssuer.store, limiter, tokenIssuer.authorization)]
  const { metrics } = foundation
  const routers = [trips.router, ...parts.flatMap((part) => part.routers)]
  const routes = parts.flatMap((part) => part.routes)
  const server = createHttpServer({ name: 'test', routes, express: routers, log, metrics, trustedProxies: [] })
  await server.listen({ host: '127.0.0.1', port: Number(new URL(issuer).port) })
  return {
    issuer,
    trips,
    foundation,
    directory: new AccountDirectory({ ...foundation, store, partitions }),
    async close() {
      await server.close(0)
      for (const part of parts.toReversed()) await part.close()
      rmSync(folder, { recursive: true })
    },
  }
}

type World = Awaited<ReturnType<typeof openWorld>>

async function addAccount({ directory, foundation }: World, loginName: string, secret?: Uint8Array): Promise<void> {
  const passwordHash = await new Passwords().hash(password)
  const account = (await directory.create({ loginName, passwordHash, claims: {} }, system, false))!
  if (!secret) return
  const sealedSecret = seal(foundation.sealKeys[0]!, secret, `totp ${account.record.id}`)
  const totp = { sealedSecret, addedAt: 1, usedStep: 0, recoveryDigests: [] }
  await directory.change(account, system, (record) => ({ record: { ...record, totp } }))
}

const errands = [
  ['an application of our own', 'own'],
  ['one that people have to agree to', 'web'],
  ['none', undefined],
] as const

/** To the sign-in page, as an application sends people there. */
async function arrive({ issuer }: World, client: string | undefined, visitor = new Visitor(issuer)): Promise<Visitor> {
  const challenge = { code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256' }
  const request = { response_type: 'code', redirect_uri: redirectUri, scope: 'openid', prompt: 'login', ...challenge }
  const query = client && new URLSearchParams({ ...request, client_id: client }).toString()
  await visitor.go(query === undefined ? `${issuer}/login?again=1` : `${issuer}/oauth2/authorize?${query}`)
  return visitor
}

async function enterPassword(
  world: World,
  client: string | undefined,
  loginName: string,
  visitor?: Visitor,
): Promise<Visitor> {
  const at = await arrive(world, client, visitor)
  await at.go('login', {
    ...at.forms().find(({ fields }) => 'password' in fields)!.fields,
    login_name: loginName,
    password,
  })
  return at
}

/** From the button to wherever people come to when they are back. */
async function throughProvider(world: World, client: string | undefined, visitor?: Visitor) {
  const at = await arrive(world, client, visitor)
  const { fields } = at.forms().find(({ fields }) => !('password' in fields))!
  await at.go('login', { ...fields, provider: 'idp' })
  const before = provider.callsTo('token')
  await at.go(provider.authorize(new URL(at.url)).href)
  return { at, tokenCalls: provider.callsTo('token') - before }
}

/** The last request that began a session. */
function signInOf({ trips }: World): Asked {
  const begins = ({ response }: Asked) => String(response.getHeader('set-cookie')).includes('cs_session=')
  const asked = trips.requests.findLast(begins)!
  expect(asked.response.statusCode).toBe(303)
  expect(asked.calls).toEqual(expect.arrayContaining(['get', 'commit']))
  return asked
}

let provider: HostileProvider
let world: World
let people = 0
/** Somebody new to the provider, from here on. */
const someoneElse = () => void (provider.person = { sub: `person-${++people}`, email: 'ann@example.org' })
beforeAll(async () => {
  provider = await new HostileProvider().start()
  world = await openWorld(provider)
  await addAccount(world, 'alice')
})
afterAll(async () => {
  await world?.close()
  await provider.stop()
})
beforeEach(() => void (world.trips.requests.length = 0))

describe(`signing in asks the store ${mostRoundTrips} times at most, and its counts of failures with it`, () => {
  test.each(errands)('by password, on the way to %s', async (_name, client) => {
    await enterPassword(world, client, 'alice')
    expect(signInOf(world).roundTrips).toBeLessThanOrEqual(mostRoundTrips)
  })

  test.each(errands)('by password and second factor, each, on the way to %s', async (_name, client) => {
    const secret = newTotpSecret(randomBytes)
    const loginName = `with-totp-${++people}`
    await addAccount(world, loginName, secret)
    const visitor = await enterPassword(world, client, loginName)
    const halfway = world.trips.requests.at(-1)!
    expect(halfway).toMatchObject({ path: '/login', calls: expect.arrayContaining(['get']) })
    expect(halfway.roundTrips).toBeLessThanOrEqual(mostRoundTrips)
    const totp = new TOTP({ secret: Secret.fromBase32(totpText(secret).replaceAll(' ', '')) })
    await visitor.submit({ code: totp.generate() })
    const asked = signInOf(world)
    expect(asked).not.toBe(halfway)
    expect(asked.roundTrips).toBeLessThanOrEqual(mostRoundTrips)
  })

  test.each(errands)('by a provider, and that once for tokens, on the way to %s', async (_name, client) => {
    someoneElse()
    await throughProvider(world, client)
    const { tokenCalls } = await throughProvider(world, client)
    expect(signInOf(world)).toMatchObject({ path: '/login/callback/idp' })
    expect(signInOf(world).roundTrips).toBeLessThanOrEqual(mostRoundTrips)
    expect(tokenCalls).toBe(1)
  })

  test('by somebody who is signed in already', async () => {
    const visitor = await enterPassword(world, 'own', 'alice')
    await enterPassword(world, 'own', 'alice', visitor)
    expect(signInOf(world).calls).toContain('follow')
    expect(signInOf(world).roundTrips).toBeLessThanOrEqual(mostRoundTrips)
  })
})

describe('signing in asks for more', () => {
  test('of somebody new, whose account is made: three', async () => {
    someoneElse()
    const { tokenCalls } = await throughProvider(world, 'own')
    expect(signInOf(world).roundTrips).toBe(mostRoundTrips + 3)
    expect(tokenCalls).toBe(1)
  })

  test('where there are several partitions: at most one, for the request is in another than the person', async () => {
    const large = await openWorld(provider, 64)
    try {
      await addAccount(large, 'alice')
      await enterPassword(large, 'own', 'alice')
      expect(signInOf(large).roundTrips).toBeLessThanOrEqual(mostRoundTrips + 1)
      someoneElse()
      await throughProvider(large, 'own')
      await throughProvider(large, 'own')
      expect(signInOf(large).roundTrips).toBeLessThanOrEqual(mostRoundTrips + 1)
    } finally {
      await large.close()
    }
  })
})
