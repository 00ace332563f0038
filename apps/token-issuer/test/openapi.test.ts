import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { Validator } from '@seriousme/openapi-schema-validator'
import { createHash, randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import {
  ask,
  basic,
  post,
  repositoryRoot,
  startEmbedded,
  Visitor,
  type Embedded,
  type Reply,
} from '@countersign/servers'
import { signUp } from './clients/person.ts'

interface Schema {
  readonly [keyword: string]: unknown
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly allOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
}
interface Told {
  readonly $ref?: string
  readonly content?: Readonly<Record<string, { readonly schema?: Schema }>>
}
interface Operation {
  readonly responses: Readonly<Record<string, Told>>
}
type Path = Readonly<Partial<Record<'get' | 'post' | 'put' | 'delete' | 'patch', Operation>>> & { servers?: unknown }
interface Document {
  readonly paths: Readonly<Record<string, Path>>
}

const file = join(repositoryRoot, 'docs/reference/openapi.yaml')
const document = parse(readFileSync(file, 'utf8')) as Document

const resolved = <T extends { readonly $ref?: string }>(node: T): T =>
  node.$ref === undefined
    ? node
    : (node.$ref
        .slice(2)
        .split('/')
        .reduce((at: unknown, name) => (at as Record<string, unknown>)[name], document) as T)

const typeOf = (value: unknown): string =>
  value === null
    ? 'null'
    : Array.isArray(value)
      ? 'array'
      : Number.isInteger(value)
        ? 'integer'
        : typeof value === 'object'
          ? 'object'
          : typeof value

/** Says nothing about what matches. */
const silent = ['description', 'default', '$ref']

const keywords: Readonly<Record<string, (value: unknown, schema: Schema, at: string) => string[]>> = {
  type(value, { type }, at) {
    const types = [type].flat()
    const isOf = types.includes(typeOf(value)) || (types.includes('number') && typeof value === 'number')
    return isOf ? [] : [`${at} is ${typeOf(value)}, not ${types.join(' or ')}`]
  },
  const: (value, schema, at) => (value === schema.const ? [] : [`${at} is not ${String(schema.const)}`]),
  enum: (value, schema, at) =>
    (schema.enum as unknown[]).includes(value) ? [] : [`${at} is ${String(value)}, which is none of its values`],
  pattern: (value, schema, at) =>
    new RegExp(schema.pattern as string).test(String(value)) ? [] : [`${at} has not the pattern`],
  maxLength: (value, schema, at) =>
    String(value).length <= (schema.maxLength as number) ? [] : [`${at} has too many characters`],
  required: (value, { required }, at) =>
    required!.filter((name) => !Object.hasOwn(Object(value), name)).map((name) => `${at}.${name} is missing`),
  properties: (value, { properties }, at) =>
    Object.entries(Object(value) as object).flatMap(([name, member]) =>
      properties![name] ? mismatches(member, properties![name], `${at}.${name}`) : [],
    ),
  items: (value, { items }, at) =>
    Array.isArray(value) ? value.flatMap((each, n) => mismatches(each, items!, `${at}[${n}]`)) : [],
  allOf: (value, { allOf }, at) => allOf!.flatMap((schema) => mismatches(value, schema, at)),
  oneOf(value, { oneOf }, at) {
    const outcomes = oneOf!.map((schema) => [...mismatches(value, schema, at), ...strangers(value, schema, at)])
    return outcomes.filter(({ length }) => length === 0).length === 1 ? [] : [`${at} is not one of ${outcomes.join()}`]
  },
}

/** What of a value is otherwise than its schema says. */
function mismatches(value: unknown, given: Schema, at = 'it'): string[] {
  const schema = resolved(given)
  return Object.keys(schema).flatMap((keyword) => {
    if (silent.includes(keyword)) return []
    const check = keywords[keyword]
    if (!check) throw new Error(`${keyword} is not looked at`)
    return check(value, schema, at)
  })
}

function namesIn(given: Schema): string[] {
  const { properties = {}, allOf = [] } = resolved(given)
  return [...Object.keys(properties), ...allOf.flatMap(namesIn)]
}

/** Members that the document does not tell. */
function strangers(value: unknown, schema: Schema, at = 'it'): string[] {
  if (typeOf(value) !== 'object' || resolved(schema).oneOf) return []
  const known = namesIn(schema)
  return Object.keys(value as object).flatMap((name) => (known.includes(name) ? [] : [`${at}.${name} is not told`]))
}

/** That an answer is one that the document tells of. */
function expectTold(path: string, method: keyof Path & string, reply: Reply): void {
  const operation = document.paths[path]![method as 'get']!
  const told = resolved(operation.responses[String(reply.status)] ?? {})
  expect({ path, method, status: reply.status, told: Object.keys(operation.responses) }).toMatchObject({
    told: expect.arrayContaining([String(reply.status)]),
  })
  if (!told.content) return
  const type = String(reply.headers['content-type']).split(';')[0]!
  expect(Object.keys(told.content)).toContain(type)
  const schema = told.content[type]!.schema
  if (!type.endsWith('json') || !schema) return
  expect([...mismatches(reply.json(), schema), ...strangers(reply.json(), schema)]).toEqual([])
}

/** Paths as the sources have them: every literal that begins with a slash is one. */
function pathsInSources(): Set<string> {
  const services = join(repositoryRoot, 'libs/services')
  const files = readdirSync(services, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\/src\/.*\.ts$/.test(name) && !/\.test\.ts$|\/(testing|conformance)\//.test(name))
    .map((name) => join(services, name))
  const found = new Set<string>()
  for (const name of [...files, join(repositoryRoot, 'libs/chassis/src/management.ts')]) {
    const text = readFileSync(name, 'utf8')
    for (const [, path] of text.matchAll(/'(\/[\w.-][\w./:-]*)'/g)) found.add(path!)
    // Relative, as the links of pages are.
    for (const [, path] of text.matchAll(/'(account(?:\/[\w-]+)?)'/g)) found.add(`/${path}`)
    const [, base] = /const path = '([^']+)'/.exec(text) ?? []
    for (const [, rest] of text.matchAll(/`\$\{path\}(\/:\w+)`/g)) found.add(base! + rest!)
  }
  return found
}

const withoutNames = (path: string): string => path.replace(/:\w+|\{\w+\}/g, '{}')

test('the document is one of OpenAPI 3.1', async () => {
  const validator = new Validator()
  expect(await validator.validate(document as never)).toEqual({ valid: true })
  expect(validator.version).toBe('3.1')
})

test('the document has every path that the sources have, and no other', () => {
  const inSources = [...pathsInSources()].map(withoutNames).sort()
  expect(inSources.length).toBeGreaterThan(20)
  expect(Object.keys(document.paths).map(withoutNames).sort()).toEqual(inSources)
})

describe('what is served', () => {
  let at: Embedded
  let url: string
  const secret = randomBytes(24).toString('base64url')
  const initial = randomBytes(24).toString('base64url')
  const callback = 'http://127.0.0.1:3999/callback'
  const web: [string, string] = ['web', secret]
  const operator: [string, string] = ['admin', secret]

  beforeAll(async () => {
    const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code'
    const all = `secret: ${secret}, scopes: [openid, profile, 'read:reports'], audience: [reports]`
    at = await startEmbedded({
      config: `providers: [{ id: staff, kind: local }]\nregistration: { enabled: true, initial_access_tokens: [${initial}], scopes: [openid] }`,
      clients: [
        `{ id: web, ${all}, grants: [authorization_code, refresh_token, '${deviceGrant}'], redirect_uris: ['${callback}'] }`,
        `{ id: admin, secret: ${secret}, audit: true, introspect: [reports] }`,
      ],
    })
    url = at.issuerUrl
    await signUp(at)
  })
  afterAll(() => at?.stop())

  const methods = ['get', 'post', 'put', 'delete', 'patch'] as const
  /** As the document says in its description. */
  const refusedWith = (path: string): number => (path.startsWith('/api/v1/') ? 404 : 405)
  const example = (path: string): string =>
    path.replace('{client_id}', 'cs_client_AAAAAAAAAAAAAAAAAAAAAA').replace('{revision}', '0:0000000000000000:0')

  test.each(Object.keys(document.paths))(
    '%s takes the methods that the document tells, and no others',
    async (path) => {
      const told = document.paths[path]!
      for (const method of methods) {
        const base = told.servers ? at.management : url
        const reply = await ask(base + example(path), { method: method.toUpperCase() })
        if (told[method]) expectTold(path, method, reply)
        else expect({ path, method, status: reply.status }).toEqual({ path, method, status: refusedWith(path) })
      }
    },
  )

  const told = async (path: string, method: 'get' | 'post', asked: Promise<Reply>, status: number): Promise<Reply> => {
    const reply = await asked
    expect({ path, status: reply.status, text: reply.text }).toMatchObject({ status })
    expectTold(path, method, reply)
    return reply
  }
  const posted = (path: string, status: number, client: [string, string] | undefined, form: Record<string, string>) =>
    told(path, 'post', post(url + path, client, form), status)
  const got = (path: string, status: number, headers: Record<string, string> = {}, query = '') =>
    told(path, 'get', ask(url + path + query, { headers }), status)

  test('a person’s tokens, what they are good for, and their end', async () => {
    const code_verifier = randomBytes(32).toString('base64url')
    const code_challenge = createHash('sha256').update(code_verifier).digest('base64url')
    const asked = { response_type: 'code', redirect_uri: callback, scope: 'openid profile read:reports' }
    const pkce = { code_challenge, code_challenge_method: 'S256' }
    const pushed = await posted('/oauth2/par', 201, web, { ...asked, ...pkce })
    const query = new URLSearchParams({ client_id: 'web', request_uri: String(pushed.json().request_uri) })
    const visitor = new Visitor(url)
    await visitor.go(`/oauth2/authorize?${query}`)
    await visitor.signIn({ loginName: 'alice', password: 'correct horse battery staple' })
    const code = new URL(visitor.url).searchParams.get('code')!
    const redemption = { grant_type: 'authorization_code', code, code_verifier, redirect_uri: callback }
    const tokens = (await posted('/oauth2/token', 200, web, redemption)).json<Record<string, string>>()
    expect(Object.keys(tokens)).toEqual(expect.arrayContaining(['refresh_token', 'id_token', 'scope']))
    const refreshing = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token! }
    await posted('/oauth2/token', 200, web, refreshing)
    const token = tokens.access_token!
    await got('/oauth2/userinfo', 200, { authorization: `Bearer ${token}` })
    expect((await posted('/oauth2/introspect', 200, operator, { token })).json()).toMatchObject({ active: true })
    const revoked = await posted('/oauth2/revoke', 200, web, { token })
    expect((await posted('/oauth2/introspect', 200, operator, { token, max_staleness: '0' })).text).toBe(
      '{"active":false}',
    )
    const status = ask(`${url}/api/v1/revocations/${String(revoked.headers['countersign-revision'])}`, {
      headers: { authorization: basic(...operator) },
    })
    await told('/api/v1/revocations/{revision}', 'get', status, 200)
    await got('/audit/v1/events', 200, { authorization: basic(...operator) })
    await got('/audit/v1/events', 403, { authorization: basic(...web) })
  })

  test('a device’s codes', async () => {
    const { device_code = '' } = (await posted('/oauth2/device_authorization', 200, web, {})).json<
      Record<string, string>
    >()
    const poll = { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code }
    expect((await posted('/oauth2/token', 400, web, poll)).json().error).toBe('authorization_pending')
    expect((await posted('/oauth2/token', 400, web, poll)).json().error).toBe('slow_down')
  })

  test('refusals', async () => {
    expect((await posted('/oauth2/token', 401, ['web', 'x'], {})).headers['www-authenticate']).toMatch(/^Basic/)
    for (const grant_type of ['password', 'client_credentials', '']) {
      await posted('/oauth2/token', 400, web, { grant_type })
    }
    await posted('/oauth2/par', 400, web, { response_type: 'token', redirect_uri: callback })
    await posted('/oauth2/device_authorization', 400, web, { scope: 'unknown' })
    await posted('/oauth2/introspect', 401, undefined, {})
  })

  test('both discovery documents, and the keys', async () => {
    for (const path of [
      '/.well-known/oauth-authorization-server',
      '/.well-known/openid-configuration',
      '/oauth2/jwks',
    ]) {
      await got(path, 200)
    }
    expect((await got('/.well-known/openid-configuration', 200)).json()).toHaveProperty('registration_endpoint')
  })

  test('a registration, and a refused one', async () => {
    const headers = { authorization: `Bearer ${initial}`, 'content-type': 'application/json' }
    const register = (metadata: object) =>
      ask(`${url}/oauth2/register`, { method: 'POST', headers, body: JSON.stringify(metadata) })
    const redirect_uris = ['https://app.example/callback']
    await told('/oauth2/register', 'post', register({ redirect_uris, client_name: 'An application' }), 201)
    await told('/oauth2/register', 'post', register({}), 400)
  })
})
