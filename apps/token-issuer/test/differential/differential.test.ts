import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { readDifferences } from './difference.ts'
import { introspectionRequests, documentRequests, logoutRequests, revocationRequests } from './requests/afterwards.ts'
import { authorizeRequests } from './requests/authorize.ts'
import { deviceRequests, pushRequests } from './requests/beforehand.ts'
import { proofRequests, userinfoRequests } from './requests/proof.ts'
import { refreshRequests } from './requests/refresh.ts'
import { authenticationRequests, codeRequests, grantRequests } from './requests/token.ts'
import { startServers, type Servers } from './servers.ts'

const chapters = {
  authorize: authorizeRequests,
  authentication: authenticationRequests,
  grant: grantRequests,
  code: codeRequests,
  refresh: refreshRequests,
  par: pushRequests,
  device: deviceRequests,
  introspect: introspectionRequests,
  revoke: revocationRequests,
  userinfo: userinfoRequests,
  dpop: proofRequests,
  document: documentRequests,
  logout: logoutRequests,
}
const requests = Object.entries(chapters).flatMap(([chapter, made]) =>
  Object.entries(made).map(([name, make]) => ({ name: `${chapter}: ${name}`, make })),
)
const differences = readDifferences()

describe('Countersign and oidc-provider, asked the same', () => {
  let servers: Servers

  beforeAll(async () => {
    servers = await startServers()
  }, 60_000)

  afterAll(() => servers?.stop())

  test.each(requests)('answer alike, or as the table says: $name', async ({ name, make }) => {
    const [countersign, peer] = await Promise.all([make(servers.countersign), make(servers.peer)])
    const told = differences.find(({ request }) => request === name)
    const { countersign: ours, peer: theirs } = told ?? { countersign, peer: countersign }
    expect({ countersign, peer }).toEqual({ countersign: ours, peer: theirs })
    if (told) expect(countersign).not.toBe(peer)
  })
})

describe('the table of differences', () => {
  test('tells of requests that are made, each once', () => {
    const known = requests.map(({ name }) => name)
    const told = differences.map(({ request }) => request)
    expect(told.filter((name) => !known.includes(name))).toEqual([])
    expect(new Set(told).size).toBe(told.length)
  })

  test('names for each difference the section of a specification that decides it', () => {
    const cited = /(RFC \d{4}|OpenID Connect Core|RP-Initiated Logout 1\.0|Form Post Response Mode)[^|]* section \d/
    expect(differences.filter(({ source }) => !cited.test(source))).toEqual([])
  })
})
