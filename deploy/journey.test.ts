import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { credentials, Metadata } from '@grpc/grpc-js'
import * as client from 'openid-client'
import { IntrospectionClient, type IntrospectResponse } from '@countersign/contracts/introspection'
import { ask, basic, MainJob, until, Visitor, type AuditEvent } from '@countersign/servers'
import { nodeProgram, root } from './testing/image.ts'
import { services, startStack, type Service, type Stack } from './testing/stack.ts'

let stack: Stack
let job: MainJob
beforeAll(async () => {
  stack = await startStack()
  const { http, secretOf } = stack
  const secrets = {
    batch: secretOf('batch_secret'),
    'reports-api': secretOf('reports_api_secret'),
    operator: secretOf('operator_secret'),
  }
  job = new MainJob({ issuerUrl: http, introspectionUrl: http, auditUrl: http, secrets })
}, 120_000)
afterAll(async () => stack?.stop(), 60_000)

async function introspectOverGrpc(token: string): Promise<IntrospectResponse> {
  const client = new IntrospectionClient(stack.grpc, credentials.createInsecure())
  const metadata = new Metadata()
  metadata.set('authorization', basic('reports-api', stack.secretOf('reports_api_secret')))
  const deadline = Date.now() + 10_000
  try {
    return await new Promise((resolve, reject) => {
      client.introspect(
        { token, tokenTypeHint: '', minRevision: '', staleness: undefined },
        metadata,
        { deadline },
        (error, response) => (error ? reject(error) : resolve(response)),
      )
    })
  } finally {
    client.close()
  }
}

const person = { loginName: 'alice', password: 'correct horse battery staple' }

/** The command line that the image has, beside a service; with the password that audit alone has. */
const command = (...args: string[]) => commandBeside('audit', ...args)
const commandBeside = (service: Service, ...args: string[]) =>
  spawnSync(join(stack.app, 'entrypoint.sh'), args, {
    env: { ...process.env, ...stack.environment.audit, ...stack.environment[service] },
    encoding: 'utf8',
  })

/** The events of a live token, oldest first, once there are so many. */
async function journaled(fingerprint: string, count: number): Promise<AuditEvent[]> {
  let events: AuditEvent[] = []
  await until(async () => (events = await job.events(`&token_fingerprint=${fingerprint}`)).length >= count)
  return events
}
const fingerprintOf = async (token: string) => (await job.introspect(token)).json<{ jti: string }>().jti

describe('the image’s services behind the gateway', () => {
  test('issue, introspect over HTTP and gRPC, revoke, and journal it', async () => {
    const token = await job.token()
    expect(token).toMatch(/^cs_at_[0-9A-Za-z]{55}$/)
    expect((await job.introspect(token)).json()).toMatchObject({ active: true, scope: 'read:reports' })
    expect(await introspectOverGrpc(token)).toMatchObject({ active: true, scope: 'read:reports' })
    const fingerprint = await fingerprintOf(token)

    const revoked = await job.revoke(token)
    expect(revoked.status).toBe(200)
    expect(revoked.headers['countersign-revision']).toMatch(/^0:[0-9a-f]+:\d+$/)
    expect((await job.introspect(token)).text).toBe('{"active":false}')
    expect(await introspectOverGrpc(token)).toMatchObject({ active: false, clientId: '' })
    expect((await journaled(fingerprint, 2)).map(({ type }) => type)).toEqual(['token.issued', 'token.revoked'])
  })

  test('sign a person in for an application, and journal it', async () => {
    const redirectUri = 'http://127.0.0.1:3999/callback'
    const visitor = new Visitor(stack.http)
    const link = command('account', 'setup-link').stdout.trim()
    await visitor.go(link)
    await visitor.submit({ login_name: person.loginName, password: person.password, password_again: person.password })
    visitor.cookies.clear()

    const options = { execute: [client.allowInsecureRequests] }
    const server = await client.discovery(new URL(stack.http), 'web', undefined, client.None(), options)
    const pkceCodeVerifier = client.randomPKCECodeVerifier()
    const url = client.buildAuthorizationUrl(server, {
      redirect_uri: redirectUri,
      scope: 'openid read:reports',
      code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
    })
    await visitor.go(url.href)
    const answer = new URL(await visitor.signIn(person))
    expect(`${answer.origin}${answer.pathname}`).toBe(redirectUri)
    const tokens = await client.authorizationCodeGrant(server, answer, { pkceCodeVerifier })
    const { sub } = tokens.claims()!
    expect((await job.introspect(tokens.access_token)).json()).toMatchObject({ active: true, sub, client_id: 'web' })
    expect(await client.fetchUserInfo(server, tokens.access_token, sub)).toMatchObject({ sub })

    const types = async () => (await job.events(`&subject=${sub}`)).map(({ type }) => type)
    const told = ['account.created', 'session.started', 'consent.given', 'grant.created', 'token.issued']
    await until(async () => {
      const journaled = await types()
      return told.every((type) => journaled.includes(type))
    })
    // A page that works once, and a token that nobody may see.
    expect((await ask(link)).status).toBe(404)
    await until(() => stack.accessLog().includes('"path":"/setup"'))
    expect(stack.accessLog()).not.toContain(new URL(link).search)
  })

  test('know the caller’s address from the gateway, not from what the caller claims', async () => {
    const secret = stack.secretOf('batch_secret')
    const headers = {
      authorization: basic('batch', secret),
      'content-type': 'application/x-www-form-urlencoded',
      'x-forwarded-for': '203.0.113.9',
      forwarded: 'for=203.0.113.9',
    }
    const reply = await ask(`${stack.http}/oauth2/token`, {
      method: 'POST',
      headers,
      body: 'grant_type=client_credentials',
    })
    const [event] = await journaled(await fingerprintOf(reply.json<{ access_token: string }>().access_token), 1)
    expect(event).toMatchObject({ actor: { address: '127.0.0.1' } })
  })

  test('stream events as they come', async () => {
    const controller = new AbortController()
    const response = await fetch(`${stack.http}/audit/v1/events/stream`, {
      headers: { authorization: basic('operator', stack.secretOf('operator_secret')) },
      signal: controller.signal,
    })
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/)
    await job.token()
    let text = ''
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk
      if (text.includes('token.issued')) break
    }
    controller.abort()
    expect(text).toMatch(/^id: ?\d+$/m)
  })

  test('have both discovery documents and the keys at the one origin', async () => {
    for (const path of ['oauth-authorization-server', 'openid-configuration']) {
      const document = (await (await fetch(`${stack.http}/.well-known/${path}`)).json()) as Record<string, unknown>
      expect(document.issuer).toBe(stack.http)
      const endpoints = Object.entries(document).filter(([name]) => name.endsWith('_endpoint'))
      const answers = endpoints.map(async ([name, url]) => [name, (await ask(String(url))).status])
      for (const [name, status] of await Promise.all(answers))
        expect({ name, isServed: ![404, 502].includes(Number(status)) }).toEqual({ name, isServed: true })
    }
    const { keys } = (await (await fetch(`${stack.http}/oauth2/jwks`)).json()) as { keys: Record<string, unknown>[] }
    expect(keys.length).toBeGreaterThan(0)
    for (const key of keys) expect(key).not.toHaveProperty('d')
  })

  test('answer headers over 16 KiB with 431', async () => {
    const status = async (bytes: number) =>
      (await ask(`${stack.http}/oauth2/jwks`, { headers: { 'x-long': 'a'.repeat(bytes) } })).status
    expect(await status(8_000)).toBe(200)
    expect(await status(16_400)).toBe(431)
    expect(await status(60_000)).toBe(431)
  })

  test('send a browser back with as much as its application gave it', async () => {
    const state = 's'.repeat(4_096)
    const query = new URLSearchParams({ client_id: 'web', redirect_uri: 'http://127.0.0.1:3999/callback', state })
    const { status, headers } = await ask(`${stack.http}/oauth2/authorize?${query}`)
    expect({ status, isWhole: headers.location?.includes(state) }).toEqual({ status: 303, isWhole: true })
  })

  test('leave no token and no query in the gateway’s log', async () => {
    const token = await job.token()
    await ask(`${stack.http}/oauth2/introspect?token=${token}`)
    await ask(`${stack.http}/oauth2/revoke?token=${token}`, { method: 'POST' })
    await until(() => stack.accessLog().includes('"path":"/oauth2/revoke"'))
    expect(stack.accessLog()).not.toContain('cs_at_')
    expect(stack.accessLog()).not.toContain('token=')
    for (const line of stack.accessLog().trim().split('\n')) expect(() => JSON.parse(line)).not.toThrow()
  })

  test('leave no credential with Redis, NATS or PostgreSQL', async () => {
    const token = await job.token()
    const fingerprint = await fingerprintOf(token)
    await job.revoke(token)
    await journaled(fingerprint, 2)
    const holding = (text: string) =>
      stack.dataFolders.filter((folder) => spawnSync('grep', ['-rqF', text, folder]).status === 0)
    // What is looked for in these files can be found in them.
    await until(() => holding(fingerprint).length === stack.dataFolders.length)
    for (const name of ['batch_secret', 'reports_api_secret', 'master_key'])
      expect(holding(stack.secretOf(name))).toEqual([])
    expect([...holding(token), ...holding(person.password)]).toEqual([])
  })

  test('are seen as ready by the image’s health check, and as not ready where nothing listens', () => {
    const check = (env: Record<string, string>) =>
      spawnSync(nodeProgram, [join(stack.app, 'health.mjs')], { env: { ...process.env, ...env } }).status
    for (const service of services) expect(check(stack.environment[service])).toBe(0)
    expect(check({ COUNTERSIGN_LISTEN__MANAGEMENT: '127.0.0.1:1' })).toBe(1)
  })

  test.each(services)('are found well by doctor, beside %s', (service) => {
    const { status, stdout } = commandBeside(service, 'doctor', '--json')
    const { findings } = JSON.parse(stdout) as { findings: { check: string; level: string; what: string }[] }
    expect({ status, wrong: findings.filter(({ level }) => level === 'fail') }).toEqual({ status: 0, wrong: [] })
    expect(findings).toContainEqual(expect.objectContaining({ check: 'token-issuer', level: 'ok' }))
    const served = findings.filter(({ what }) => what.endsWith('is served by Countersign')).length
    expect(served).toBe(service === 'audit' ? 2 : 3)
  })

  test('measure what docs/operations.md says, and nothing of ours that it does not', async () => {
    const metrics = services.map((service) => {
      const { COUNTERSIGN_LISTEN__MANAGEMENT: management } = stack.environment[service]
      return ask(`http://${management}/metrics`)
    })
    const texts = (await Promise.all(metrics)).map(({ text }) => text).join('\n')
    const measured = new Set([...texts.matchAll(/^# HELP (countersign_\w+)/gm)].map((match) => match[1]))
    const document = readFileSync(join(root, 'docs/operations.md'), 'utf8')
    const documented = new Set([...document.matchAll(/^\| .*$/gm)].join('\n').match(/\bcountersign_(?!audit_\*)\w+/g))
    expect([...measured].sort()).toEqual([...documented].sort())
  })

  test('end at once, and in good order, when they are told to', async () => {
    const { environment, app } = stack
    const env = { ...process.env, ...environment.introspection, ...freeListeners }
    const child = spawn(join(app, 'entrypoint.sh'), ['serve', 'introspection'], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })))
    let log = ''
    for await (const chunk of child.stdout.setEncoding('utf8')) {
      log += chunk
      if (/ready|listening/i.test(log)) break
    }
    child.kill('SIGTERM')
    expect(await ended).toEqual({ code: 0, signal: null })
  })

  test('bring the command line with them', () => {
    expect(command('--version').stdout).toMatch(/^\d+\.\d+\.\d+$/m)
    expect(command('config', 'check')).toMatchObject({ status: 0 })
  })
})

const freeListeners = {
  COUNTERSIGN_LISTEN__HTTP: '127.0.0.1:0',
  COUNTERSIGN_LISTEN__GRPC: '127.0.0.1:0',
  COUNTERSIGN_LISTEN__MANAGEMENT: '127.0.0.1:0',
}
