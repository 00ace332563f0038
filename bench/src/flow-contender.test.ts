import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { readArguments } from './arguments.ts'
import { inContext } from './context.ts'
import { flowContender } from './flow-contender.ts'

const redirectUri = 'https://app.example/callback'
let server: Server
let issuer: string
let presented: string[]
let states = (state: string): string => state
let successor = (token: string): string => `${token}-next`

beforeEach(async () => {
  presented = []
  states = (state) => state
  successor = (token) => `${token}-next`
  let codes = 0
  server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url!, issuer)
    const redirect = (location: string) => void response.writeHead(303, { location }).end()
    if (pathname === '/oauth2/authorize') return redirect(`${issuer}/login?state=${searchParams.get('state')}`)
    if (pathname === '/login') {
      const state = states(searchParams.get('state')!)
      return redirect(`${redirectUri}?${new URLSearchParams({ code: `${++codes}`, state, iss: issuer })}`)
    }
    let text = ''
    for await (const chunk of request) text += chunk
    const form = new URLSearchParams(text)
    const token = form.get('refresh_token')
    if (token !== null) presented.push(token)
    const next = token === null ? `first-${form.get('code')}` : successor(token)
    const body = JSON.stringify({ access_token: 'a', refresh_token: next, id_token: 'i', expires_in: 300 })
    response.writeHead(200, { 'content-length': body.length }).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

afterEach(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

const run = (mode: 'code-flow' | 'refresh') =>
  inContext(
    readArguments([], []),
    { progress: () => undefined, signal: new AbortController().signal },
    async (context) => {
      const job = {
        ...{ issuer, routes: { '/': issuer }, cookies: ['a=1', 'a=2'] },
        ...{ authorizePath: '/oauth2/authorize', tokenPath: '/oauth2/token', jwksPath: '/oauth2/jwks' },
        ...{
          client: { id: 'web', authorization: 'Basic x', redirectUri },
          scope: 'openid',
          resource: 'https://r.example',
        },
      }
      const contender = await flowContender(context, 'server', { job, processes: {} }, mode)
      return contender.run(0.2, () => undefined)
    },
  )

test('flows go from the link to the tokens', async () => {
  expect((await run('code-flow')).perSecond).toBeGreaterThan(0)
})

test('a flow that ends with the state of another fails', async () => {
  states = () => 'other'
  await expect(run('code-flow')).rejects.toThrow('no code')
})

test('each refresh presents what the one before it got, and every family has its turn', async () => {
  await run('refresh')
  expect(new Set(presented).size).toBe(presented.length)
  expect(presented.filter((token) => !token.endsWith('-next')).length).toBe(64)
})

test('a refresh token that is not rotated fails', async () => {
  successor = (token) => token
  await expect(run('refresh')).rejects.toThrow('not rotated')
})
