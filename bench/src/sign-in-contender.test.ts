import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import type { SignInJob } from '../generators/sign-in.ts'
import { readArguments } from './arguments.ts'
import { inContext } from './context.ts'
import { answerFigures, signInContender, type SignInContender } from './sign-in-contender.ts'
import { percentile } from './statistics.ts'

const redirectUri = 'https://app.example/callback'
const slowMs = 20
let server: Server
let issuer: string
let forms: Record<string, string>[]
let sessionCookies: string[]
let states: (state: string) => string

/** As the product and a provider, with a page that is slow, and takes part in no answer. */
async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url!, issuer)
  const form = Object.fromEntries(new URLSearchParams(Buffer.concat(await request.toArray()).toString()))
  const redirect = (location: string, cookies: string[] = []) =>
    void response.writeHead(303, { location, ...(cookies.length > 0 && { 'set-cookie': cookies }) }).end()
  const toApplication = (state: string) =>
    redirect(`${redirectUri}?${new URLSearchParams({ code: 'c', state: states(state) })}`, sessionCookies)
  const state = searchParams.get('state') ?? ''
  if (pathname === '/oauth2/authorize') return redirect(`${issuer}/login?request=${state}`)
  if (pathname === '/token') return void response.end(JSON.stringify({ id_token: 'i' }))
  if (pathname === '/authorize') return redirect(`${issuer}/login/callback/elsewhere?code=c&state=${state}`)
  if (pathname === '/login/callback/elsewhere') return toApplication(state)
  if (request.method === 'POST') {
    forms.push({ ...form, cookie: request.headers.cookie ?? '' })
    const { request: id = '' } = form
    return form.provider === undefined ? toApplication(id) : redirect(`${issuer}/authorize?state=${id}`)
  }
  const hidden = `<input type="hidden" name="request" value="${searchParams.get('request')}">`
  const page = `<form>${hidden}<input name="login_name"></form>`
  response.setHeader('set-cookie', 'cs_browser=b; Path=/').setHeader('content-length', page.length)
  setTimeout(() => response.end(page), slowMs)
}

beforeEach(async () => {
  forms = []
  sessionCookies = ['cs_session=s; Path=/']
  states = (state) => state
  server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

afterEach(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

const jobs = (way: SignInJob['way']): SignInJob => {
  if (way === 'hash') return { way }
  if (way === 'tokens') return { way, provider: { issuer, clientId: 'c', clientSecret: 's' } }
  const person = { loginName: 'ann', password: 'of ann' }
  return { way, issuer, routes: { '/': issuer }, client: { id: 'web', redirectUri }, person, providerId: 'elsewhere' }
}

const within = <T>(way: SignInJob['way'], use: (contender: SignInContender) => Promise<T>): Promise<T> =>
  inContext(
    readArguments([], []),
    { progress: () => undefined, signal: new AbortController().signal },
    async (context) => use(await signInContender(context, { name: way, unit: 'sign-ins/s', job: jobs(way) })),
  )

const run = (way: SignInJob['way']) =>
  within(way, async (contender) => {
    await contender.run(0.1, () => undefined)
    const warmUp = contender.answersMs()
    const load = await contender.run(0.1, () => undefined)
    return { load, warmUp, answers: contender.answersMs(), contender }
  })

test('a sign-in counts from the link, and its answer from the form', async () => {
  const { load, warmUp, answers, contender } = await run('password')
  expect(warmUp).toHaveLength(0)
  expect(load.p50Ms).toBeGreaterThan(slowMs - 2)
  expect(load.perSecond).toBeLessThan(1_000 / (slowMs - 2))
  expect(answers.length).toBeGreaterThan(0)
  expect(answers[0]).toBeLessThan(slowMs)
  const figures = answerFigures(contender, contender).map(({ value }) => value)
  expect(figures).toEqual([percentile(answers, 50), percentile(answers, 99)])
  expect(forms[0]).toMatchObject({ login_name: 'ann', password: 'of ann', cookie: 'cs_browser=b' })
  // A new person each time.
  expect(new Set(forms.map(({ request }) => request)).size).toBe(forms.length)
})

test('by a provider it goes there and back', async () => {
  const { load } = await run('provider')
  expect(load.p50Ms).toBeGreaterThan(slowMs - 2)
  expect(forms[0]).toMatchObject({ provider: 'elsewhere' })
})

test.each(['password', 'provider'] as const)('one by %s that ends with the state of another fails', async (way) => {
  states = () => 'other'
  await expect(run(way)).rejects.toThrow('no sign-in')
})

test.each(['password', 'provider'] as const)('one by %s that begins no session fails', async (way) => {
  sessionCookies = []
  await expect(run(way)).rejects.toThrow('no sign-in')
})

test.each(['hash', 'tokens'] as const)('what it rests on is measured alone: %s', async (way) => {
  expect((await within(way, (contender) => contender.run(0.1, () => undefined))).perSecond).toBeGreaterThan(0)
})
