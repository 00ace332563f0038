import { expect } from '@jest/globals'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { until, Visitor } from '@countersign/servers'
import { answerOf } from '../person.ts'
import { signedOutUri } from '../setting.ts'
import { asking, refusedToken, signIn, type Journey, type World } from './journey.ts'

const eventName = 'http://schemas.openid.net/event/backchannel-logout'

/** The logout token of a session, as its receiver must check it (Back-Channel Logout 1.0 section 2.6). */
async function logoutTokenOf({ setting }: World, sessionId: unknown) {
  const { issuerUrl, posted } = setting
  const keys = createRemoteJWKSet(new URL(`${issuerUrl}/oauth2/jwks`))
  for (const form of posted) {
    const expected = { issuer: issuerUrl, audience: 'web', typ: 'logout+jwt', requiredClaims: ['iat', 'exp', 'jti'] }
    const { payload } = await jwtVerify(form.get('logout_token') ?? '', keys, expected)
    if (payload.sid === sessionId) return payload
  }
  return undefined
}

async function signOut(world: World): Promise<void> {
  const web = await world.application('web')
  const visitor = new Visitor(world.setting.issuerUrl)
  const lasting = await signIn(world, web, {}, visitor)
  const { accessToken, idToken, claims } = await signIn(world, web, { scope: 'openid profile' }, visitor)
  const { sub: subject, sid } = claims as { sub: string; sid: string }
  expect(await web.userinfo(accessToken, subject)).toMatchObject({ sub: subject })
  expect(await logoutTokenOf(world, sid)).toBeUndefined()

  const cookies = [...visitor.cookies]
  const sent = { id_token_hint: idToken!, post_logout_redirect_uri: signedOutUri, state: 'afterwards' }
  await visitor.go(web.endSessionUrl(sent).href)
  expect(visitor.url).toBe(`${signedOutUri}?state=afterwards`)

  await expect(web.userinfo(accessToken, subject)).rejects.toMatchObject(refusedToken)
  expect(await web.refresh(lasting.refreshToken!)).toMatchObject({ tokenType: 'bearer' })
  // Whoever has kept the cookie has nothing of it.
  for (const [name, value] of cookies) visitor.cookies.set(name, value)
  const silent = await web.begin(asking({ prompt: 'none' }))
  await expect(web.redeem(silent, await answerOf(visitor, silent.url))).rejects.toMatchObject({
    error: 'login_required',
  })
  await until(async () => (await logoutTokenOf(world, sid)) !== undefined)
  const told = await logoutTokenOf(world, sid)
  expect(told).toMatchObject({ sub: subject, events: { [eventName]: {} } })
  expect(told).not.toHaveProperty('nonce')
}

export const logoutJourneys: readonly Journey[] = [
  ['signs the person out, which ends the session, and is told so by the back channel', signOut],
]
