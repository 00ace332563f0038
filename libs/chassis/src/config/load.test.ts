import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, describe, expect, test } from '@jest/globals'
import { ConfigFolder, linesOf } from './config-folder.ts'
import { limits } from './limits.ts'
import { loadConfig } from './load.ts'
import { Secret } from './secret.ts'

const folder = new ConfigFolder()
afterAll(() => folder.remove())
const cwd = folder.path

const sample = readFileSync(new URL('section-7.yaml', import.meta.url), 'utf8')
const sampleSecrets = {
  GOOGLE_SECRET: 'google-s3cret',
  REPORTS_API_SECRET: 'reports-s3cret',
  BATCH_SECRET: 'batch-s3cret',
}

/** What everything is where nothing is said. */
const untouched = {
  demo: true,
  version: 1,
  issuer: 'http://localhost:8080',
  masterKey: { file: join(cwd, 'data/master.key') },
  store: {
    url: `sqlite:${join(cwd, 'data/countersign.db')}`,
    partitions: 1,
    waitReplicas: 0,
    allowUnsafe: false,
    commandTimeoutMs: 2_000,
  },
  bus: { url: 'in-process', replicas: 1, maxAgeMs: 604_800_000 },
  audit: { url: `sqlite:${join(cwd, 'data/audit.db')}`, maxBacklogEvents: 1_000_000, relay: 'running' },
  listen: {
    http: { host: '127.0.0.1', port: 8080 },
    grpc: { host: '127.0.0.1', port: 50_051 },
    management: { host: '127.0.0.1', port: 9464 },
  },
  services: { tokenIssuer: { target: '127.0.0.1:50051' } },
  trustedProxies: [],
  session: { persistent: false, idleMs: 1_800_000, absoluteMs: 43_200_000 },
  lifetimes: {
    authorizationCodeMs: 60_000,
    accessTokenMs: 300_000,
    refreshTokenMs: 2_592_000_000,
    refreshGraceMs: 10_000,
    idTokenMs: 300_000,
    authorizationRequestMs: 1_800_000,
    pushedRequestMs: 60_000,
    deviceCodeMs: 600_000,
  },
  keys: { rotateEveryMs: 7_776_000_000 },
  authorization: { requestObjects: 'refused', requirePushedRequests: false, dpopNonces: false },
  maxStalenessMs: 1_000,
  cache: { entries: 100_000 },
  providers: [],
  roles: [],
  directories: [],
  passwords: { leastCharacters: 10 },
  pages: { name: 'Countersign', language: 'en' },
  resources: [],
  clients: [],
  registration: {
    enabled: false,
    initialAccessTokens: [],
    scopes: [],
    audience: [],
    grants: ['authorization_code', 'refresh_token'],
  },
  bridges: [],
  forwardAuth: { rules: [] },
  authentication: 'on',
  allowPlaintext: false,
  log: { level: 'info' },
  grpc: {},
  http: { selfSignedClients: false },
  throttle: {
    failedAuthenticationsPerMinute: 30,
    failedGrantsPerMinute: 60,
    authorizationRequestsPerMinute: 600,
    registrationsPerMinute: 10,
    failedSignInsPerMinute: 10,
    failedSecondFactorsPerMinute: 5,
    resetRequestsPerMinute: 3,
    upstreamSignInsPerMinute: 60,
    wrongUserCodesPerMinute: 10,
    inactiveIntrospectionsPerMinute: 60_000,
  },
}

describe('without a file', () => {
  test('everything is embedded, on loopback, and free to be tried out', () => {
    const { config, file, warnings } = loadConfig({ env: {}, cwd })
    expect(file).toBeUndefined()
    expect(warnings).toEqual([])
    expect(config).toEqual(untouched)
  })

  test.each([
    ['a listener others can reach', { COUNTERSIGN_LISTEN__HTTP: '0.0.0.0:8080' }, false],
    ['clients', { COUNTERSIGN_CLIENTS: '[]' }, false],
    ['resources', { COUNTERSIGN_RESOURCES: '[]' }, false],
    ['another port', { COUNTERSIGN_LISTEN__HTTP: '127.0.0.1:0' }, true],
  ])('whether it is a demo with %s in the environment', (_, env, demo) => {
    expect(loadConfig({ env, cwd }).config.demo).toBe(demo)
  })
})

describe('with a file', () => {
  test('the sample of the design loads', () => {
    const { config, file, warnings } = folder.load(sample, sampleSecrets)
    expect(file).toBe(join(cwd, 'countersign.yaml'))
    expect(config.demo).toBe(false)
    expect(config.resources).toEqual([
      { id: 'reports', audience: 'https://reports.example', scopes: { 'read:reports': 'Read reports' } },
    ])
    expect(config.clients.map(({ id, public: open, secret }) => [id, open, secret?.reveal()])).toEqual([
      ['reports-api', false, 'reports-s3cret'],
      ['batch', false, 'batch-s3cret'],
      ['web', true, undefined],
    ])
    expect(config.clients[2]).toMatchObject({
      redirectUris: ['http://localhost:3000/callback'],
      grants: ['authorization_code', 'refresh_token'],
      scopes: ['openid', 'profile', 'email', 'read:reports'],
    })
    expect(config.providers.map(({ id, kind }) => `${id} ${kind}`)).toEqual([
      'google google',
      'cern oidc',
      'hub oauth2',
      'staff local',
    ])
    expect(config.roles).toEqual([{ grant: ['admin'], when: { provider: 'staff', email: ['ops@example.org'] } }])
    expect(config.bridges).toEqual([{ id: 'music', provider: 'hub', scopes: ['streaming'] }])
    expect(config.forwardAuth.rules).toEqual([
      {
        host: 'reports.example',
        path: '/api/',
        methods: ['GET'],
        scopes: ['read:reports'],
        roles: [],
        attributes: {},
        anonymous: false,
      },
    ])
    expect(warnings).toEqual(['bridges: accepted, not served by this version'])
  })

  test('version alone is enough, and it is no demo', () => {
    const { config } = folder.load('version: 1')
    expect(config).toMatchObject({ demo: false, bus: { url: 'in-process' } })
  })

  test('COUNTERSIGN_CONFIG names the file, and --config goes before it', () => {
    folder.write('a.yaml', 'version: 1\nissuer: https://a.example')
    folder.write('b.yaml', 'version: 1\nissuer: https://b.example')
    const env = { COUNTERSIGN_CONFIG: 'a.yaml' }
    expect(loadConfig({ env, cwd }).config.issuer).toBe('https://a.example')
    expect(loadConfig({ file: 'b.yaml', env, cwd }).config.issuer).toBe('https://b.example')
  })

  test('paths in it are relative to its folder, wherever the process runs', () => {
    folder.write('etc/ca.pem', 'PEM')
    folder.write(
      'etc/c.yaml',
      'version: 1\nmaster_key: { file: k }\nstore: { url: sqlite:s.db }\naudit: { url: "sqlite:../a.db" }\nbus: { url: tls://bus.example, tls: { ca: ca.pem } }',
    )
    const { config } = loadConfig({ file: 'etc/c.yaml', env: {}, cwd })
    expect(config.masterKey).toEqual({ file: join(cwd, 'etc/k') })
    expect(config.store.url).toBe(`sqlite:${join(cwd, 'etc/s.db')}`)
    expect(config.audit.url).toBe(`sqlite:${join(cwd, 'a.db')}`)
    expect(config.bus.tls).toEqual({ ca: join(cwd, 'etc/ca.pem') })
  })

  test('nothing in the configuration can be changed', () => {
    const { config } = folder.load(sample, sampleSecrets)
    expect(() => Object.assign(config.clients[0]!.introspect, { 0: '*' })).toThrow(TypeError)
    expect(() => Object.assign(config.lifetimes, { accessTokenMs: 1 })).toThrow(TypeError)
    expect(() => Object.assign(config, { demo: true })).toThrow(TypeError)
  })

  test('aliases stand for what they name', () => {
    const { config } = folder.load(
      'version: 1\nresources: [{ id: r, audience: "urn:r" }]\nclients:\n  - { id: a, secret: s, audience: &all [r] }\n  - { id: b, secret: s, audience: *all }',
    )
    expect(config.clients.map(({ audience }) => audience)).toEqual([['r'], ['r']])
  })

  test('a scope that no resource has, and an issuer forgotten on a public listener, are warned of', () => {
    const { warnings } = folder.load(
      'version: 1\nlisten: { http: 0.0.0.0:8080 }\nresources: [{ id: r, audience: "urn:r", scopes: { "read:x": X } }]\nclients: [{ id: a, secret: s, scopes: [openid, roles, "raed:x"] }]\nregistration: { scopes: ["read:y", email] }',
    )
    expect(warnings).toEqual([
      'issuer: not set, so tokens and metadata name http://localhost:8080',
      'clients[0].scopes[2]: no resource has the scope "raed:x"; did you mean read:x?',
      'registration.scopes[0]: no resource has the scope "read:y"; did you mean read:x?',
    ])
  })

  test('authentication turned off is told loudly, and nothing but that word turns it off', () => {
    const off = folder.load('version: 1\nauthentication: off')
    expect(off.warnings).toEqual(['authentication: off — forward-auth lets everything through as anonymous'])
    expect(off.config.authentication).toBe('off')
    expect(folder.load('version: 1').config.authentication).toBe('on')
    for (const given of ['', '""', 'false', 'no', 'none', 'null', '[]', '"off "']) {
      expect(folder.second(`authentication: ${given}`).join()).toMatch(
        /^2:\d+: authentication: expected one of on, off, got /,
      )
    }
  })
})

describe('a file that cannot be read', () => {
  const lines = (file: string) => linesOf(() => loadConfig({ file, env: {}, cwd }))

  test.each([
    ['that is not there', 'nope.yaml', 'nope.yaml: does not exist'],
    ['that is a folder', '.', `${cwd}: is a folder`],
  ])('%s is named', (_, file, line) => {
    expect(lines(file)).toEqual([line])
  })

  test('a long one is refused before it is read', () => {
    folder.write('long.yaml', `#${' '.repeat(limits.fileBytes)}`)
    expect(lines('long.yaml')).toEqual([`long.yaml: is longer than ${limits.fileBytes} bytes`])
  })

  test('one that is not UTF-8 is refused', () => {
    expect(folder.problems(Uint8Array.of(0x76, 0xff, 0xfe))).toEqual(['countersign.yaml: is not UTF-8 text'])
  })

  test('one outside the working folder is named in full', () => {
    expect(linesOf(() => loadConfig({ file: join(cwd, 'nope.yaml'), env: {}, cwd: '/' }))).toEqual([
      `${join(cwd, 'nope.yaml').slice(1)}: does not exist`,
    ])
    expect(linesOf(() => loadConfig({ file: '../nope.yaml', env: {}, cwd }))).toEqual([
      `${join(cwd, '../nope.yaml')}: does not exist`,
    ])
  })

  test('an empty name is not taken for none', () => {
    expect(linesOf(() => loadConfig({ env: { COUNTERSIGN_CONFIG: '' }, cwd }))).toEqual([
      'COUNTERSIGN_CONFIG: is set but empty',
    ])
    expect(lines('')).toEqual(['--config: is set but empty'])
  })
})

test('a secret shows itself nowhere but where it is asked for', () => {
  const secret = new Secret('hunter2')
  const shown = [String(secret), JSON.stringify({ secret }), inspect({ secret }, { showHidden: true })]
  expect(shown.join()).not.toContain('hunter2')
  expect(secret.reveal()).toBe('hunter2')
})
