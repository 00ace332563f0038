import { expect } from '@jest/globals'
import { Visitor } from '@countersign/servers'
import { answerOf } from '../person.ts'
import { asking, everything, heardOf, refusedToken, signIn, type Journey, type World } from './journey.ts'

async function plain(world: World): Promise<void> {
  const web = await world.application('web')
  const begun = await web.begin(asking({ max_age: '600' }))
  const answer = (await answerOf(new Visitor(world.setting.issuerUrl), begun.url)) as URL
  expect(answer.searchParams.get('iss')).toBe(world.setting.issuerUrl)
  const { accessToken, claims, scope, tokenType } = await web.redeem(begun, answer)
  expect({ scope, tokenType }).toEqual({ scope: everything, tokenType: 'bearer' })
  expect(claims).toMatchObject({
    aud: 'web',
    nonce: begun.nonce,
    auth_time: expect.any(Number),
    at_hash: expect.any(String),
  })
  const { sub } = claims as { sub: string }
  expect(await web.userinfo(accessToken, sub)).toMatchObject({
    sub,
    name: 'Alice Example',
    email: 'alice@example.org',
  })
  await expect(web.userinfo(accessToken, 'somebody else')).rejects.toMatchObject({
    code: expect.stringMatching(/^OAUTH_/),
  })
}

/** The answer of another server is noticed before anything is sent (RFC 9207). */
async function otherIssuer(world: World): Promise<void> {
  const web = await world.application('web')
  const begun = await web.begin(asking())
  const answer = (await answerOf(new Visitor(world.setting.issuerUrl), begun.url)) as URL
  for (const change of [
    (given: URLSearchParams) => given.set('iss', 'https://other.example'),
    (given: URLSearchParams) => given.delete('iss'),
    (given: URLSearchParams) => given.set('state', 'another'),
  ]) {
    const changed = new URL(answer)
    change(changed.searchParams)
    await expect(web.redeem(begun, changed)).rejects.toMatchObject({ code: 'OAUTH_INVALID_RESPONSE' })
  }
  expect(await web.redeem(begun, answer)).toMatchObject({ claims: { aud: 'web' } })
}

async function pushed(world: World): Promise<void> {
  const web = await world.application('web')
  const begun = await web.begin(asking(), true)
  expect([...begun.url.searchParams.keys()].toSorted()).toEqual(['client_id', 'request_uri'])
  const tokens = await web.redeem(begun, await answerOf(new Visitor(world.setting.issuerUrl), begun.url))
  expect(tokens).toMatchObject({ scope: everything, claims: { nonce: begun.nonce } })
}

async function posted(world: World): Promise<void> {
  const web = await world.application('web')
  const begun = await web.begin(asking({ response_mode: 'form_post' }))
  const answer = await answerOf(new Visitor(world.setting.issuerUrl), begun.url)
  expect(answer).not.toHaveProperty('searchParams')
  expect(await web.redeem(begun, answer)).toMatchObject({ scope: everything, claims: { nonce: begun.nonce } })
}

async function denied(world: World): Promise<void> {
  const web = await world.application('web')
  const begun = await web.begin(asking({ prompt: 'consent' }))
  const answer = await answerOf(new Visitor(world.setting.issuerUrl), begun.url, 'deny')
  await expect(web.redeem(begun, answer)).rejects.toMatchObject({ error: 'access_denied' })
}

async function silent(world: World): Promise<void> {
  const web = await world.application('web')
  const visitor = new Visitor(world.setting.issuerUrl)
  const stranger = await web.begin(asking({ prompt: 'none' }))
  await expect(web.redeem(stranger, await answerOf(visitor, stranger.url))).rejects.toMatchObject({
    error: 'login_required',
  })
  const { claims } = await signIn(world, web, {}, visitor)
  const known = await signIn(world, web, { prompt: 'none' }, visitor)
  expect(known.claims).toMatchObject({ sub: claims!.sub, sid: claims!.sid, auth_time: claims!.auth_time })
}

async function codeUsedTwice(world: World): Promise<void> {
  const phone = await world.application('phone', { algorithm: 'ES256' })
  const begun = await phone.begin(asking())
  const answer = await answerOf(new Visitor(world.setting.issuerUrl), begun.url)
  await expect(phone.redeem({ ...begun, verifier: 'x'.repeat(43) }, answer)).rejects.toMatchObject({
    error: 'invalid_grant',
  })
  const { accessToken, refreshToken, claims } = await phone.redeem(begun, answer)
  await expect(phone.redeem(begun, answer)).rejects.toMatchObject({ error: 'invalid_grant' })
  await expect(phone.userinfo(accessToken, claims!.sub as string)).rejects.toMatchObject(refusedToken)
  await expect(phone.refresh(refreshToken!)).rejects.toMatchObject({ error: 'invalid_grant' })
}

async function refreshing(world: World): Promise<void> {
  const web = await world.application('web')
  const first = await signIn(world, web)
  const second = await web.refresh(first.refreshToken!)
  expect(second.refreshToken).toMatch(/^cs_rt_/)
  expect(second.refreshToken).not.toBe(first.refreshToken)
  expect(second.claims).toMatchObject({
    sub: first.claims!.sub,
    auth_time: first.claims!.auth_time,
    sid: first.claims!.sid,
  })
  expect(second.claims).not.toHaveProperty('nonce')
  const again = await web.refresh(first.refreshToken!)
  expect(again).toMatchObject({ refreshToken: second.refreshToken, accessToken: second.accessToken })
  const narrow = await web.refresh(second.refreshToken!, { scope: 'read:reports' })
  expect(narrow).toMatchObject({ scope: 'read:reports', idToken: undefined })
  const wider = web.refresh(narrow.refreshToken!, { scope: `${everything} write:reports` })
  await expect(wider).rejects.toMatchObject({ error: 'invalid_scope' })
  expect(await web.refresh(narrow.refreshToken!)).toMatchObject({ scope: everything })
}

async function revoking(world: World): Promise<void> {
  const web = await world.application('web')
  const { accessToken, refreshToken, claims } = await signIn(world, web)
  expect(await heardOf(world, accessToken)).toMatchObject({ active: true, client_id: 'web', sub: claims!.sub })
  await web.revoke('made up')
  await (await world.application('phone')).revoke(refreshToken!)
  expect(await web.userinfo(accessToken, claims!.sub as string)).toMatchObject({ sub: claims!.sub })
  await web.revoke(refreshToken!)
  await expect(web.userinfo(accessToken, claims!.sub as string)).rejects.toMatchObject(refusedToken)
  await expect(web.refresh(refreshToken!)).rejects.toMatchObject({ error: 'invalid_grant' })
}

export const codeJourneys: readonly Journey[] = [
  ['signs a person in with a code and PKCE, and trusts the ID token that comes of it', plain],
  ['notices an answer that is of another server, or to another request', otherIssuer],
  ['pushes its request ahead', pushed],
  ['gets its answer as a posted form', posted],
  ['hears that the person said no', denied],
  ['asks silently, and hears whether somebody is signed in', silent],
  ['loses everything that came of a code that is used twice', codeUsedTwice],
  ['refreshes, and gets the same successor for the same token', refreshing],
  ['revokes what is its own', revoking],
]
