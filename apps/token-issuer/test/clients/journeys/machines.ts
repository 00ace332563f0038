import { expect } from '@jest/globals'
import { until, Visitor } from '@countersign/servers'
import { answerOf } from '../person.ts'
import { startResourceServer } from '../resource-server.ts'
import { asking, heardOf, signIn, type Journey, type World } from './journey.ts'

const reports = 'https://reports.example'
const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token'

const invalidClient = { status: 401, error: 'invalid_client' }

/** What is refused with a challenge: the libraries leave the body to their callers. */
async function refusalOf(refused: Promise<unknown>): Promise<unknown> {
  const thrown = (await refused.catch((each: unknown) => each)) as { response: Response }
  const { error } = (await thrown.response.json()) as { error: string }
  return { status: thrown.response.status, error }
}

async function machine(world: World): Promise<void> {
  const batch = await world.application('batch')
  const { accessToken, ...tokens } = await batch.clientCredentials({ scope: 'read:reports' })
  expect(tokens).toMatchObject({ tokenType: 'bearer', scope: 'read:reports', refreshToken: undefined })
  const heard = await heardOf(world, accessToken)
  expect(heard).toMatchObject({ active: true, client_id: 'batch', sub: 'batch', aud: reports, token_type: 'Bearer' })
  await expect(batch.clientCredentials({ scope: 'write:reports' })).rejects.toMatchObject({ error: 'invalid_scope' })
  const stranger = await world.application('batch', { credentials: { secret: 'wrong' } })
  expect(await refusalOf(stranger.clientCredentials())).toEqual(invalidClient)
  await batch.revoke(accessToken)
  await until(async () => !(await heardOf(world, accessToken)).active)
  expect(await heardOf(world, accessToken)).toEqual({ active: false })
}

async function signedAnswers(world: World): Promise<void> {
  const { accessToken } = await (await world.application('batch')).clientCredentials()
  const server = await world.application('reports-api', { asksSignedIntrospections: true })
  expect(await server.introspect(accessToken)).toMatchObject({ active: true, client_id: 'batch', aud: reports })
  expect(await server.introspect('cs_at_made_up')).toEqual({ active: false })
}

/** A key in the place of a secret, wherever a client says who it is (RFC 7523). */
async function byKey(world: World): Promise<void> {
  const keyed = await world.application('keyed', { algorithm: 'EdDSA' })
  const unpushed = await keyed.begin(asking())
  const visitor = new Visitor(world.setting.issuerUrl)
  await expect(keyed.redeem(unpushed, await answerOf(visitor, unpushed.url))).rejects.toMatchObject({
    error: 'invalid_request',
  })
  const begun = await keyed.begin(asking(), true)
  const { accessToken, claims } = await keyed.redeem(begun, await answerOf(visitor, begun.url))
  expect(claims).toMatchObject({ aud: 'keyed' })
  expect(await keyed.introspect(accessToken)).toMatchObject({ active: true, sub: claims!.sub })
  await keyed.revoke(accessToken)
  await until(async () => !(await keyed.introspect(accessToken)).active)
  expect(await keyed.clientCredentials({ scope: 'read:reports' })).toMatchObject({ scope: 'read:reports' })
  const { privateKey } = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign'])
  const stranger = await world.application('keyed', { credentials: { key: { privateKey, id: 'first' } } })
  expect(await refusalOf(stranger.clientCredentials())).toEqual(invalidClient)
  expect(await refusalOf(stranger.begin(asking(), true))).toEqual(invalidClient)
  expect(await refusalOf(stranger.revoke(accessToken))).toEqual(invalidClient)
  expect(await refusalOf(stranger.introspect(accessToken))).toEqual(invalidClient)
}

async function signedAccessTokens(world: World): Promise<void> {
  const signed = await world.application('signed')
  const { accessToken, claims, idToken, refreshToken } = await signIn(world, signed)
  const servers = [
    await startResourceServer(world.setting.issuerUrl, reports),
    await startResourceServer(world.setting.issuerUrl, 'https://mail.example'),
  ] as const
  try {
    const [meant, other] = servers
    const statuses = async (token: string) => [
      (await signed.call(token, meant.url)).status,
      (await signed.call(token, other.url)).status,
    ]
    expect(await statuses(accessToken)).toEqual([200, 401])
    expect(await statuses(idToken!)).toEqual([401, 401])
    expect(await (await signed.call(accessToken, meant.url)).json()).toMatchObject({
      client_id: 'signed',
      sub: claims!.sub,
    })
    expect(await statuses((await signed.refresh(refreshToken!)).accessToken)).toEqual([200, 401])
  } finally {
    for (const server of servers) server.stop()
  }
  expect(await signed.userinfo(accessToken, claims!.sub as string)).toMatchObject({ name: 'Alice Example' })
  expect(await heardOf(world, accessToken)).toMatchObject({ active: true, client_id: 'signed' })
}

/** A token of one's own for a narrower one, that dies with it (RFC 8693). */
async function exchanged(world: World): Promise<void> {
  const web = await world.application('web')
  const parent = await signIn(world, web)
  const own = { subject_token: parent.accessToken, subject_token_type: accessTokenType }
  const child = await web.exchange({ ...own, scope: 'read:reports', resource: reports })
  expect(child).toMatchObject({ scope: 'read:reports', issuedTokenType: accessTokenType, tokenType: 'bearer' })
  expect(child.accessToken).not.toBe(parent.accessToken)
  expect(await heardOf(world, child.accessToken)).toMatchObject({
    active: true,
    scope: 'read:reports',
    sub: parent.claims!.sub,
  })
  const childs = { subject_token: child.accessToken, subject_token_type: accessTokenType }
  await expect(web.exchange({ ...childs, scope: 'openid' })).rejects.toMatchObject({ error: 'invalid_scope' })
  await expect(web.exchange({ ...own, resource: 'https://mail.example' })).rejects.toMatchObject({
    error: 'invalid_target',
  })
  await web.revoke(parent.accessToken)
  for (const each of [own, childs]) {
    await expect(web.exchange(each)).rejects.toMatchObject({ error: 'invalid_request' })
  }
  await until(async () => !(await heardOf(world, child.accessToken)).active)
}

export const machineJourneys: readonly Journey[] = [
  ['gets a token for itself, and a resource server is told about it until it is revoked', machine],
  ['asks about tokens, and gets the answers signed', signedAnswers],
  ['proves by its key who it is at every endpoint', byKey],
  ['gets access tokens that resource servers can check by themselves', signedAccessTokens],
  ['exchanges a token for a narrower one', exchanged],
]
