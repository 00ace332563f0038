import { expect } from '@jest/globals'
import { Visitor } from '@countersign/servers'
import * as oauth from 'oauth4webapi'
import { discover } from '../oauth4webapi.ts'
import { answerOf } from '../person.ts'
import { startResourceServer } from '../resource-server.ts'
import { asking, heardOf, refusedToken, type Journey, type World } from './journey.ts'

const withKey = { algorithm: 'ES256', usesDpop: true }

/** The code, the tokens and, of a public client, the refresh token are good with its key alone (RFC 9449). */
async function bound(world: World): Promise<void> {
  const phone = await world.application('phone', withKey)
  const thief = await world.application('phone', withKey)
  const keyless = await world.application('phone', { algorithm: 'ES256' })
  const begun = await phone.begin(asking({ dpop_jkt: await phone.thumbprint() }))
  const answer = await answerOf(new Visitor(world.setting.issuerUrl), begun.url)
  for (const other of [thief, keyless]) {
    await expect(other.redeem(begun, answer)).rejects.toMatchObject({ error: 'invalid_grant' })
  }
  const { accessToken, refreshToken, claims, tokenType } = await phone.redeem(begun, answer)
  const subject = claims!.sub as string
  expect(tokenType).toBe('dpop')
  expect(await phone.userinfo(accessToken, subject)).toMatchObject({ sub: subject, name: 'Alice Example' })
  for (const other of [thief, keyless]) {
    await expect(other.userinfo(accessToken, subject)).rejects.toMatchObject(refusedToken)
    await expect(other.refresh(refreshToken!)).rejects.toMatchObject({ error: 'invalid_grant' })
  }
  const confirmed = { active: true, token_type: 'DPoP', cnf: { jkt: await phone.thumbprint() } }
  expect(await heardOf(world, accessToken)).toMatchObject(confirmed)
  const second = await phone.refresh(refreshToken!)
  expect(second).toMatchObject({ tokenType: 'dpop' })
  expect(await heardOf(world, second.accessToken)).toMatchObject(confirmed)
  expect(await phone.userinfo(second.accessToken, subject)).toMatchObject({ sub: subject })
}

/** The proof that comes with a pushed request binds its code (RFC 9449 section 10.1). */
async function pushed(world: World): Promise<void> {
  const phone = await world.application('phone', withKey)
  const thief = await world.application('phone', withKey)
  const begun = await phone.begin(asking(), true)
  const answer = await answerOf(new Visitor(world.setting.issuerUrl), begun.url)
  await expect(thief.redeem(begun, answer)).rejects.toMatchObject({ error: 'invalid_grant' })
  expect(await phone.redeem(begun, answer)).toMatchObject({ tokenType: 'dpop' })
}

async function machine(world: World): Promise<void> {
  const batch = await world.application('batch', { usesDpop: true })
  const { accessToken, tokenType } = await batch.clientCredentials()
  expect(tokenType).toBe('dpop')
  const confirmed = { cnf: { jkt: await batch.thumbprint() } }
  expect(await heardOf(world, accessToken)).toMatchObject(confirmed)
}

/** RFC 9068 with RFC 9449: a resource server checks token and proof by itself. */
async function signed(world: World): Promise<void> {
  const signed = await world.application('signed', { usesDpop: true })
  const begun = await signed.begin(asking())
  const answer = await answerOf(new Visitor(world.setting.issuerUrl), begun.url)
  const { accessToken } = await signed.redeem(begun, answer)
  const server = await startResourceServer(world.setting.issuerUrl, 'https://reports.example')
  try {
    const accepted = await signed.call(accessToken, server.url)
    expect(await accepted.json()).toMatchObject({ cnf: { jkt: await signed.thumbprint() } })
    for (const usesDpop of [true, false]) {
      const thief = await world.application('signed', { usesDpop })
      expect((await thief.call(accessToken, server.url)).status).toBe(401)
    }
  } finally {
    server.stop()
  }
}

/** Nonces are really asked for: a proof without one is answered with one (RFC 9449 section 8). */
async function nonces({ setting }: World): Promise<void> {
  const server = await discover(setting.issuerUrl)
  const client: oauth.Client = { client_id: 'batch' }
  const key = oauth.DPoP(client, await oauth.generateKeyPair('ES256'))
  const by = oauth.ClientSecretBasic(setting.credentials.batch.secret!)
  const how = { DPoP: key, [oauth.allowInsecureRequests]: true }
  const ask = () => oauth.clientCredentialsGrantRequest(server, client, by, {}, how)
  const first = await ask()
  expect(first.headers.get('dpop-nonce')).toMatch(/./)
  const refused = await oauth.processClientCredentialsResponse(server, client, first).catch((thrown: unknown) => thrown)
  expect(oauth.isDPoPNonceError(refused)).toBe(true)
  const answer = await oauth.processClientCredentialsResponse(server, client, await ask())
  expect(answer.token_type).toBe('dpop')
}

export const dpopJourneys: readonly Journey[] = [
  ['binds its code and its tokens to its DPoP key', bound],
  ['binds its code by a pushed request with a DPoP proof', pushed],
  ['binds the token that it gets for itself', machine],
  ['gets signed access tokens that are no good without its key', signed],
]

export const nonceJourneys: readonly Journey[] = [['is asked for a nonce in its DPoP proofs', nonces]]
