import { beforeEach, describe, expect, test } from '@jest/globals'
import { createSecretKey, randomBytes } from 'node:crypto'
import type { HttpRequest } from '@countersign/chassis'
import { asFailure } from '@countersign/contracts'
import { sessionPut } from '@countersign/tokens'
import type { BrowserSession } from '../authorization/state.ts'
import { createSubjectNames } from '../subject-names.ts'
import { LogoutDesk } from './desk.ts'
import { logoutEndpoint } from './endpoint.ts'
import { LogoutRequests } from './requests.ts'
import { issuer, World } from './testing/world.ts'

const web = {
  id: 'web',
  name: 'The Web',
  public: true,
  postLogoutRedirectUris: ['https://web.example/bye', 'https://web.example/bye?from=here'],
}
const other = { id: 'other', public: true, postLogoutRedirectUris: ['https://other.example/'] }
const pairwise = { id: 'pairwise', public: true, pairwiseSector: 'pairwise.example' }
const subjectNames = createSubjectNames(createSecretKey(randomBytes(32)))
const open = { blockedSeconds: () => undefined, fail: () => undefined, take: () => undefined }

let world: World
let desk: LogoutDesk
let route: ReturnType<typeof logoutEndpoint>
let browser: BrowserSession

beforeEach(async () => {
  world = await new World([web, other, pairwise], 2).open()
  const logoutRequests = new LogoutRequests({ ...world, randomBytes })
  desk = new LogoutDesk({ ...world, logoutRequests, subjectNames })
  route = logoutEndpoint({ ...world, issuer, logoutRequests, limiter: open })
  browser = await world.signIn('anna')
})

/** Sends a browser to the endpoint. */
async function go(parameters: Record<string, string>, method: 'GET' | 'POST' = 'GET') {
  const text = new URLSearchParams(parameters).toString()
  const request = {
    method,
    query: method === 'GET' ? text : '',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: Buffer.from(method === 'POST' ? text : ''),
    address: '127.0.0.1',
  } as unknown as HttpRequest
  try {
    const { status, headers } = await route.methods[method]!(request)
    return { status, location: headers!.location!, handle: headers!.location!.split('?request=')[1] ?? '', body: '' }
  } catch (thrown) {
    const { status, headers, body } = route.onFailure(asFailure(thrown), request)
    return { status, location: headers!.location, handle: '', body: String(body) }
  }
}

const idToken = (claims: Record<string, unknown> = {}, typ = 'JWT') => {
  const whole = { iss: issuer, aud: 'web', sub: 'anna', sid: browser.session.record.id, exp: 1, ...claims }
  return world.keyRing.sign(whole, { alg: 'RS256', typ })
}
const plan = async (handle: string, who: BrowserSession | undefined = browser) => {
  const made = await desk.plan(handle, who, world.by())
  return made.next
}
const signedOut = (uri: string) => ({ $case: 'done', value: { what: 'signed_out', uri } })
const asks = (id: string) => ({ $case: 'signOut', value: { client: expect.objectContaining({ id }) } })

describe('the logout endpoint', () => {
  test('without parameters hands the browser over, and nothing else', async () => {
    for (const method of ['GET', 'POST'] as const) {
      expect(await go({}, method)).toMatchObject({ status: 303, location: `${issuer}/logout` })
      expect(await go({ ui_locales: 'de', logout_hint: 'x', state: 's' }, method)).toMatchObject({
        location: `${issuer}/logout`,
      })
    }
  })

  test('sends the browser only where the application registered, letter by letter', async () => {
    const uris = ['https://web.example/bye/', 'https://web.example/BYE', 'https://other.example/', '//web.example/bye']
    for (const uri of uris) {
      const { status, location, body } = await go({ client_id: 'web', post_logout_redirect_uri: uri })
      expect({ status, location }).toEqual({ status: 400, location: undefined })
      expect(body).toContain('<h1>')
    }
    expect(await go({ client_id: 'web', post_logout_redirect_uri: 'https://web.example/bye' })).toMatchObject({
      status: 303,
      location: expect.stringMatching(/^https:\/\/id\.example\/logout\?request=[\w-]{23}$/),
    })
  })

  test('refuses what does not say which application it is of, or contradicts itself', async () => {
    const uri = { post_logout_redirect_uri: 'https://web.example/bye' }
    const refused: Record<string, string>[] = [
      uri,
      { ...uri, client_id: 'nobody' },
      { ...uri, client_id: 'other', id_token_hint: await idToken() },
      { client_id: 'other', id_token_hint: await idToken() },
      { ...uri, id_token_hint: 'nonsense' },
      { ...uri, id_token_hint: `${await idToken()}x` },
      { ...uri, id_token_hint: await idToken({ iss: 'https://elsewhere.example' }) },
      { ...uri, id_token_hint: await idToken({ aud: 'nobody' }) },
      { ...uri, id_token_hint: await idToken({}, 'at+jwt') },
      { ...uri, id_token_hint: await idToken({}, 'logout+jwt') },
    ]
    for (const parameters of refused) {
      for (const method of ['GET', 'POST'] as const) {
        expect(await go(parameters, method)).toMatchObject({ status: 400, location: undefined })
      }
    }
  })
})

describe('signing out', () => {
  test('at the wish of an application that has an ID token of this session, however old, is not asked about', async () => {
    const uri = 'https://web.example/bye?from=here'
    const { handle } = await go({ id_token_hint: await idToken(), post_logout_redirect_uri: uri, state: 'a&b' }, 'POST')
    expect(await plan(handle)).toEqual(signedOut(`${uri}&state=a%26b`))
    expect(await world.isSignedIn(browser)).toBe(false)
    expect((await world.told()).map(({ type }) => type)).toContain('session.ended')
  })

  test('is done once, and answered alike to whoever asks again or at the same time', async () => {
    const { handle } = await go({ id_token_hint: await idToken(), post_logout_redirect_uri: 'https://web.example/bye' })
    const plans = await Promise.all([plan(handle), plan(handle), plan(handle)])
    plans.push(await plan(handle), (await desk.plan(handle, undefined, world.by())).next)
    expect(plans).toEqual(Array(5).fill(signedOut('https://web.example/bye')))
    expect((await world.told()).filter(({ type }) => type === 'session.ended')).toHaveLength(1)
  })

  test('is asked about when the ID token is of another session, or of another person, or there is none', async () => {
    const hints: Record<string, string>[] = [
      { id_token_hint: await idToken({ sid: 'another' }) },
      { id_token_hint: await idToken({ sid: undefined, sub: 'berta' }) },
      { client_id: 'web' },
    ]
    for (const parameters of hints) expect(await plan((await go(parameters)).handle)).toEqual(asks('web'))
    expect(await plan('')).toEqual({ $case: 'signOut', value: { client: undefined } })
    expect(await world.isSignedIn(browser)).toBe(true)
  })

  test('by an ID token of a session before this one in the same browser is not asked about', async () => {
    const hint = await idToken()
    const next = await world.signIn('anna', 0, browser)
    expect(await plan((await go({ id_token_hint: hint })).handle, next)).toEqual(signedOut(''))
    expect(await world.isSignedIn(next)).toBe(false)
  })

  test('by an ID token without a session is of the person, as the application knows them', async () => {
    const sub = subjectNames.toldTo(world.find('pairwise')!, 'anna')
    const bySubject = await go({ id_token_hint: await idToken({ aud: 'pairwise', sid: undefined, sub }) })
    const plain = await go({ id_token_hint: await idToken({ aud: 'pairwise', sid: undefined, sub: 'anna' }) })
    expect(await plan(plain.handle)).toEqual(asks('pairwise'))
    expect(await plan(bySubject.handle)).toEqual(signedOut(''))
    expect(await world.isSignedIn(browser)).toBe(false)
  })

  test('happens when the person agrees, and not when they do not', async () => {
    const { handle } = await go({ client_id: 'web', post_logout_redirect_uri: 'https://web.example/bye', state: 's' })
    expect((await desk.deny(handle)).next).toEqual({ $case: 'done', value: { what: 'still_signed_in', uri: '' } })
    expect(await world.isSignedIn(browser)).toBe(true)
    const agreed = await desk.agree(handle, browser, [], world.by())
    expect(agreed.next).toEqual(signedOut('https://web.example/bye?state=s'))
    expect(await world.isSignedIn(browser)).toBe(false)
    expect((await desk.plan('', undefined, world.by())).next).toEqual(signedOut(''))
  })

  test('that was used meanwhile ends all the same', async () => {
    await world.write(0, (commit) => {
      const { record } = browser.session
      commit.puts.push(sessionPut(0, { ...record, usedAt: world.at + 1 }))
    })
    await desk.agree('', browser, [], world.by())
    expect(await world.isSignedIn(browser)).toBe(false)
  })

  test('of a request that is unknown or took too long is over', async () => {
    const { handle } = await go({ client_id: 'web' })
    world.at += 30 * 60_000
    for (const id of [handle, 'x', 'A'.repeat(23)]) {
      await expect(desk.plan(id, browser, world.by())).rejects.toMatchObject({ code: 'not_found' })
      await expect(desk.deny(id)).rejects.toMatchObject({ code: 'not_found' })
    }
  })
})
