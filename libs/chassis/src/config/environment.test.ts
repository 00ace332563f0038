import { afterAll, describe, expect, test } from '@jest/globals'
import { ConfigFolder, linesOf } from './config-folder.ts'
import { variableOf, type Environment } from './environment.ts'
import { loadConfig } from './load.ts'
import { configSchema } from './schema.ts'
import { paths } from './schema-tree.ts'

const folder = new ConfigFolder()
afterAll(() => folder.remove())

const load = (env: Environment) => loadConfig({ env, cwd: folder.path }).config
const lines = (env: Environment) => linesOf(() => load(env))

describe('a variable', () => {
  test('that only commands read is no setting, and no mistake', () => {
    const own = { COUNTERSIGN_TOKEN: 't', COUNTERSIGN_CLIENT_ID: 'i', COUNTERSIGN_CLIENT_SECRET: 's' }
    expect(load(own)).toEqual(load({}))
  })

  test('goes before the file', () => {
    const { config } = folder.load(
      'version: 1\nissuer: https://file.example\nstore: { partitions: 2, wait_replicas: 1 }',
      {
        COUNTERSIGN_ISSUER: 'https://env.example',
        COUNTERSIGN_STORE__WAIT_REPLICAS: '2',
      },
    )
    expect(config).toMatchObject({ issuer: 'https://env.example', store: { partitions: 2, waitReplicas: 2 } })
  })

  test('sets numbers, truths, lists and maps as YAML', () => {
    const config = load({
      COUNTERSIGN_STORE__PARTITIONS: '16',
      COUNTERSIGN_ALLOW_PLAINTEXT: 'true',
      COUNTERSIGN_TRUSTED_PROXIES: '[10.0.0.0/8, loopback]',
      COUNTERSIGN_RESOURCES: '[{ id: r, audience: "urn:r" }]',
      COUNTERSIGN_CLIENTS: '- id: a\n  secret: s\n  audience: [r]',
      COUNTERSIGN_THROTTLE: '{ failed_authentications_per_minute: 0 }',
    })
    expect(config).toMatchObject({
      store: { partitions: 16 },
      allowPlaintext: true,
      trustedProxies: ['10.0.0.0/8', 'loopback'],
      throttle: { failedAuthenticationsPerMinute: 0, inactiveIntrospectionsPerMinute: 60_000 },
    })
    expect(config.clients.map(({ id, secret }) => [id, secret?.reveal()])).toEqual([['a', 's']])
  })

  test.each([
    ['as it stands', 'p4ss: word #1 of 40 *&!{} characters \\ long', 'p4ss: word #1 of 40 *&!{} characters \\ long'],
    [
      'as it stands though it looks like a number',
      '00000000000000000000000000000000000001',
      '00000000000000000000000000000000000001',
    ],
    [
      'without quotes around it',
      '"forty characters, of which some are \\t.."',
      'forty characters, of which some are \t..',
    ],
  ])('sets a text %s', (_, given, secret) => {
    const { masterKey } = load({ COUNTERSIGN_MASTER_KEY: given })
    expect('reveal' in masterKey && masterKey.reveal()).toBe(secret)
  })

  test('sets a secret by reference, whatever the name it is read from', () => {
    const env = {
      COUNTERSIGN_PREVIOUS_MASTER_KEY: '{ env: COUNTERSIGN_OLD_KEY }',
      COUNTERSIGN_OLD_KEY: 'x'.repeat(40),
      COUNTERSIGN_MASTER_KEY: '{file: nothing-yet.key}',
    }
    const config = load(env)
    expect(config.previousMasterKey?.reveal()).toBe('x'.repeat(40))
    expect(config.masterKey).toEqual({ file: `${folder.path}/nothing-yet.key` })
  })

  test.each(['', 'master_key: { env: OLD }', `master_key: ${'k'.repeat(40)}`, 'master_key: { file: old.key }'])(
    'names the file of a secret, over %j in the file',
    (line) => {
      const { config } = folder.load(`version: 1\n${line}`, { COUNTERSIGN_MASTER_KEY__FILE: 'new.key' })
      expect(config.masterKey).toEqual({ file: `${folder.path}/new.key` })
    },
  )

  test('sets one entry of a list, or adds one at its end', () => {
    const yaml = 'version: 1\nclients: [{ id: a, secret: s }]'
    const { config } = folder.load(yaml, {
      COUNTERSIGN_CLIENTS__0__SECRET: 'other',
      COUNTERSIGN_CLIENTS__1__ID: 'b',
      COUNTERSIGN_CLIENTS__1__SECRET: 't',
    })
    expect(config.clients.map(({ id, secret }) => [id, secret?.reveal()])).toEqual([
      ['a', 'other'],
      ['b', 't'],
    ])
    expect(folder.problems(yaml, { COUNTERSIGN_CLIENTS__7__ID: 'x' })).toEqual([
      'COUNTERSIGN_CLIENTS__7__ID: clients[7].id: the list has 1 entries, so the next is 1',
    ])
  })

  test('keeps the spaces around a secret, and only there', () => {
    const config = load({
      COUNTERSIGN_CLIENTS: '[{ id: a }]',
      COUNTERSIGN_CLIENTS__0__SECRET: ' s ',
      COUNTERSIGN_ISSUER: ' https://auth.example\n',
    })
    expect(config.clients[0]!.secret?.reveal()).toBe(' s ')
    expect(config.issuer).toBe('https://auth.example')
  })

  test('of an inner key goes before one of the map around it, whatever their order', () => {
    const inner = { COUNTERSIGN_STORE__PARTITIONS: '3' }
    const outer = { COUNTERSIGN_STORE: '{ partitions: 2, wait_replicas: 1 }' }
    for (const env of [
      { ...inner, ...outer },
      { ...outer, ...inner },
    ]) {
      expect(load(env).store).toMatchObject({ partitions: 3, waitReplicas: 1 })
    }
  })

  test('exists for every key', () => {
    const names = paths(configSchema()).map(variableOf)
    expect(names).toEqual(
      expect.arrayContaining(['COUNTERSIGN_STORE__TLS__CA', 'COUNTERSIGN_LISTEN__GRPC', 'COUNTERSIGN_MAX_STALENESS']),
    )
    for (const name of names)
      expect(lines({ [name]: '' }).join()).toMatch(new RegExp(`^${name}: [a-z_.]+: is set but empty$`))
  })
})

describe('a mistake in a variable', () => {
  test.each<[string, Environment, string]>([
    ['an empty one', { COUNTERSIGN_ISSUER: '' }, 'COUNTERSIGN_ISSUER: issuer: is set but empty'],
    [
      'an empty one that would not have mattered',
      { COUNTERSIGN_AUTHENTICATION: '' },
      'COUNTERSIGN_AUTHENTICATION: authentication: is set but empty',
    ],
    [
      'a blank one',
      { COUNTERSIGN_AUTHENTICATION: ' \n' },
      'COUNTERSIGN_AUTHENTICATION: authentication: is set but empty',
    ],
    [
      'one that says nothing',
      { COUNTERSIGN_AUTHENTICATION: '""' },
      'COUNTERSIGN_AUTHENTICATION: authentication: expected one of on, off, got ""',
    ],
    ...['off', '"off"', "'off'", ' off\n'].map((given): [string, Environment, string] => [
      `authentication turned off by ${JSON.stringify(given)}`,
      { COUNTERSIGN_AUTHENTICATION: given },
      'COUNTERSIGN_AUTHENTICATION: authentication: off has to stand in the file; a variable may only say on',
    ]),
    [
      'a blank secret',
      { COUNTERSIGN_MASTER_KEY: ' '.repeat(40) },
      'COUNTERSIGN_MASTER_KEY: master_key: is set but empty',
    ],
    [
      'one underscore for two',
      { COUNTERSIGN_STORE_URL: 'x' },
      'COUNTERSIGN_STORE_URL: is not a setting; did you mean COUNTERSIGN_STORE__URL?',
    ],
    [
      'a typing error',
      { COUNTERSIGN_ISUER: 'x' },
      'COUNTERSIGN_ISUER: is not a setting; did you mean COUNTERSIGN_ISSUER?',
    ],
    [
      'small letters',
      { COUNTERSIGN_store__url: 'x' },
      'COUNTERSIGN_store__url: is not a setting; did you mean COUNTERSIGN_STORE__URL?',
    ],
    [
      'a key within a key that has none',
      { COUNTERSIGN_ISSUER__X: 'x' },
      'COUNTERSIGN_ISSUER__X: is not a setting; did you mean COUNTERSIGN_ISSUER?',
    ],
    ['one like no other', { COUNTERSIGN_XYZZYXYZZYXYZZY: 'x' }, 'COUNTERSIGN_XYZZYXYZZYXYZZY: is not a setting'],
    [
      'an unset file',
      { COUNTERSIGN_CONFIGS: 'x' },
      'COUNTERSIGN_CONFIGS: is not a setting; did you mean COUNTERSIGN_CONFIG?',
    ],
    [
      'a wrong value',
      { COUNTERSIGN_STORE__PARTITIONS: 'two' },
      'COUNTERSIGN_STORE__PARTITIONS: store.partitions: expected a whole number from 1 to 64, got "two"',
    ],
    [
      'a duration without unit',
      { COUNTERSIGN_MAX_STALENESS: '5' },
      'COUNTERSIGN_MAX_STALENESS: max_staleness: expected a duration such as 30s, 12h or 30d, from 0s to 1m, got "5"; did you mean 5s?',
    ],
    [
      'a wrong value within',
      { COUNTERSIGN_CLIENTS: '[{ id: a, secret: s, audience: [x] }]' },
      'COUNTERSIGN_CLIENTS: clients[0].audience[0]: expected the id of a resource, got "x"',
    ],
    [
      'broken YAML',
      { COUNTERSIGN_CLIENTS: '[{ id: a, secret: "hunter2 }]' },
      'COUNTERSIGN_CLIENTS: clients: a quote, bracket, comma or colon is missing here or before',
    ],
    [
      'a password in a wrong URL',
      { COUNTERSIGN_STORE__URL: 'redis:://u:hunter2@h' },
      'COUNTERSIGN_STORE__URL: store.url: expected sqlite:path, redis://host, redis+sentinel://host,…/name, redis+cluster://host,… or the same with rediss for TLS, got "***@h"',
    ],
    [
      'a secret that is not there',
      { COUNTERSIGN_BUS__CREDENTIALS: '{ env: NATS_CREDS }' },
      'COUNTERSIGN_BUS__CREDENTIALS: bus.credentials: the environment variable NATS_CREDS is not set',
    ],
  ])('%s is told by its name', (_, env, line) => {
    expect(lines(env)).toEqual([line])
  })

  test('turns authentication on that the file turns off, and never off', () => {
    const off = 'version: 1\nauthentication: off'
    expect(folder.load(off, { COUNTERSIGN_AUTHENTICATION: 'on' }).config.authentication).toBe('on')
    for (const yaml of ['version: 1', 'version: 1\nauthentication: on', off]) {
      expect(folder.problems(yaml, { COUNTERSIGN_AUTHENTICATION: 'off' })).toEqual([
        'COUNTERSIGN_AUTHENTICATION: authentication: off has to stand in the file; a variable may only say on',
      ])
    }
  })

  test('what it lacks is missed in it, not in what it replaced', () => {
    const yaml = 'version: 1\nresources: [{ id: r, audience: "urn:r" }]'
    const [line] = folder.problems(yaml, { COUNTERSIGN_RESOURCES: '[{ id: r }]' })
    expect(line).toMatch(/^COUNTERSIGN_RESOURCES: resources\[0\]\.audience: expected .*, got nothing$/)
  })

  test('where the file has no map, the file is what is wrong', () => {
    expect(folder.problems('version: 1\nstore: sqlite', { COUNTERSIGN_STORE__URL: 'sqlite:x' })).toEqual([
      'countersign.yaml:2:8: store: expected a map of keys, got "sqlite"',
    ])
  })
})

test('variables that Kubernetes makes for Services of our name are passed over', () => {
  const env = {
    COUNTERSIGN_SERVICE_HOST: '10.96.0.1',
    COUNTERSIGN_SERVICE_PORT: '8080',
    COUNTERSIGN_SERVICE_PORT_GRPC: '50051',
    COUNTERSIGN_PORT: 'tcp://10.96.0.1:8080',
    COUNTERSIGN_PORT_8080_TCP: 'tcp://10.96.0.1:8080',
    COUNTERSIGN_PORT_8080_TCP_PROTO: 'tcp',
    COUNTERSIGN_PORT_8080_TCP_PORT: '8080',
    COUNTERSIGN_PORT_8080_TCP_ADDR: '10.96.0.1',
    COUNTERSIGN_REDIS_PORT: 'tcp://10.96.0.2:6379',
  }
  expect(lines(env)).toEqual([])
  expect(lines({ COUNTERSIGN_PORT: '8080' })).toEqual(['COUNTERSIGN_PORT: is not a setting'])
})
