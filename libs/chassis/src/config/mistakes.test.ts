import { afterAll, describe, expect, test } from '@jest/globals'
import { ConfigFolder, linesOf } from './config-folder.ts'
import { limits } from './limits.ts'
import { ConfigError } from './problem.ts'

const folder = new ConfigFolder()
afterAll(() => folder.remove())

const second = (line: string, rest?: string) => folder.second(line, rest)

describe('text that is not YAML', () => {
  test.each([
    ['a tab as indentation', 'store:\n\turl: x', '3:1: a tab cannot indent; use spaces'],
    ['an open quote', 'issuer: "https://x', '3:1: a quote, bracket, comma or colon is missing here or before'],
    ['a map within a line', 'issuer: a: b', '2:9: a map cannot begin here; text with ": " in it must be quoted'],
    ['an unknown tag', 'issuer: !hunter2 x', '2:9: tags are not used here; text that begins with ! must be quoted'],
    ['a known tag', 'issuer: !!binary aGk=', '2:9: tags are not used here; text that begins with ! must be quoted'],
    ['a reserved character', 'issuer: @x', '2:9: text that begins with @ or ` must be quoted'],
    ['a second document', '---\nversion: 1', '2:1: a second document begins here; one is expected'],
    ['a key that is a list', '[a]: 1', '2:1: a key must be text'],
    ['a bad escape', 'issuer: "\\q"', '2:10: is not YAML (bad dq escape)'],
  ])('%s is told with its place', (_, yaml, line) => {
    expect(second(yaml)).toContain(line)
  })

  test('an alias without anchor is told without its text, which may be a secret', () => {
    const lines = second('clients: [{ id: a, secret: *hunter2 }]')
    expect(lines).toEqual([
      '2:28: clients[0].secret: an alias names no anchor above; text that begins with * must be quoted',
    ])
  })

  test.each([
    [
      'an alias bomb',
      `a: &a [x,x,x,x,x,x,x,x,x,x]\n${[...'bcdefgh'].map((name, at) => `${name}: &${name} [${Array(10).fill(`*${'abcdefgh'[at]}`).join()}]`).join('\n')}`,
    ],
    ['an alias within what it names', 'a: &a [*a, *a, *a]'],
  ])('%s ends in an error', (_, yaml) => {
    expect(second(yaml).join('\n')).toMatch(
      /there are more than \d+ (values|maps and lists in one another), aliases followed/,
    )
  })

  test('the whole must be a map', () => {
    expect(folder.problems('- version: 1')).toEqual(['countersign.yaml: expected a map of keys, got a list'])
    expect(folder.problems('hello')).toEqual(['countersign.yaml: expected a map of keys, got a lone value'])
    expect(folder.problems('# empty')).toEqual(['countersign.yaml:1:1: version: expected 1, got nothing'])
  })
})

describe('keys', () => {
  test.each([
    ['an unknown key', 'isuer: x', '2:1: isuer: is not a key; did you mean issuer?'],
    ['an unknown key within a map', 'store: { ulr: x }', '2:10: store.ulr: is not a key; did you mean url?'],
    [
      'a key at the wrong place',
      'wait_replicas: 1',
      '2:1: wait_replicas: is not a key; did you mean store.wait_replicas?',
    ],
    ['a key like no other', 'xyzzyxyzzy: 1', '2:1: xyzzyxyzzy: is not a key'],
    ['a merge key', '<<: { issuer: x }', '2:1: ["<<"]: is not a key'],
    ['a prototype', '__proto__: { issuer: x }', '2:1: __proto__: is not a key'],
    [
      'a key given twice',
      'log: { level: info }\nlog: { level: warn }',
      '3:1: log: is given twice, first at countersign.yaml:2:1',
    ],
    ['a key without value', 'store:', `2:7: store: expected a map of keys, got nothing`],
  ])('%s', (_, yaml, line) => {
    expect(second(yaml)).toEqual([line])
  })

  test('a missing key is looked for where its map stands', () => {
    expect(second('resources:\n  - id: r\n    scopes: {}')).toEqual([
      '3:5: resources[0].audience: expected an absolute URI without fragment, such as https://reports.example (RFC 8707 section 2), got nothing',
    ])
  })
})

describe('the error', () => {
  test('lists every problem in the order of the file, with where, key and message apart', () => {
    const yaml = 'version: 3\nclients: [{ id: a, secret: s, audience: [x] }]\nstore: { url: 5, partitions: 0 }\nbuz: 1'
    let error: unknown
    try {
      folder.load(yaml, { COUNTERSIGN_LOG__LEVEL: 'loud' })
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(ConfigError)
    const { problems } = error as ConfigError
    expect(problems.map(({ where, key }) => `${where} ${key}`)).toEqual([
      'countersign.yaml:1:10 version',
      'countersign.yaml:2:42 clients[0].audience[0]',
      'countersign.yaml:3:15 store.url',
      'countersign.yaml:3:30 store.partitions',
      'countersign.yaml:4:1 buz',
      'COUNTERSIGN_LOG__LEVEL log.level',
    ])
    expect(problems[3]!.message).toBe('expected a whole number from 1 to 64, got 0')
  })

  test('names no more than a screenful, and says how many more there are', () => {
    const clients = Array.from(
      { length: limits.problemsShown + 7 },
      (_, at) => `{ id: c${at}, secret: s, audience: [x] }`,
    )
    const lines = folder.problems(`version: 1\nclients:\n${clients.map((client) => `  - ${client}`).join('\n')}`)
    expect(lines).toHaveLength(limits.problemsShown + 1)
    expect(lines.at(-1)).toBe('… and 7 more')
  })

  test('shows no secret, wherever in the file one stands wrongly', () => {
    const shown = [
      'clients: [{ id: "a cs_pat_hunter2", secret: s }]',
      'master_key: [hunter2]',
      'master_key: hunter2',
      'master_key: { evn: hunter2 }',
      'master_key: { hunter2 }',
      'master_key: { env: { hunter2: 1 } }',
      'bus: { credentials: { file: ok, hunter2: x } }',
      'clients: [{ id: a, secret: ["hunter2"] }]',
      'clients: [{ id: a, secret: { value: hunter2 } }]',
      'clients: [{ id: a, secrte: hunter2 }]',
      'clients: [{ id: a, secret: &hunter2 *hunter2 }]',
      'clients: [{ id: a, secret: !hunter2 }]',
      'clients: [{ id: a, secret: @hunter2 }]',
      'clients: [{ id: a, secret: "hunter2 }]',
      'clients: [{ id: a, secret: a: hunter2 }]',
      'clients: [{ id: a, jwks: { keys: [{ kty: OKP, crv: Ed25519, x: hunter2, d: hunter2 }] } }]',
      'clients: [{ id: a, jwks: { keys: [{ kty: oct, k: hunter2 }] } }]',
      'clients: [{ id: a, jwks: { keys: [hunter2] } }]',
      'clients: [{ id: a, jwks: hunter2 }]',
      'registration: { initial_access_tokens: [hunter2] }',
      'providers: [{ id: p, kind: google, client_id: x, client_secret: [hunter2] }]',
      'directories: [{ id: d, url: "ldaps://u:hunter2@h" }]',
      'directories: [{ id: d, bind_password: { evn: hunter2 } }]',
      'mail: { url: "smtps://u:hunter2@h", from: a@b.example }',
      'mail: { url: "smtps//u:hunter2@h", from: a@b.example, password: [hunter2] }',
      'registration: { initial_access_tokens: [{ evn: hunter2 }] }',
      'registration: { initial_access_tokens: { hunter2: x } }',
      'store: { url: "redis://u:hunter2@[h" }',
      'store: { url: "redis//u:hunter2@h" }',
      'store: { url: "redis://u:hunter2@h,tter/" }',
      'bus: { url: [nats://u:hunter2@h] }',
      'audit: { url: "postgres://u:hunter2@h:x/db?password=hunter2" }',
    ].map((line) => second(line))
    for (const lines of shown) {
      expect(lines.length).toBeGreaterThan(0)
      expect(lines.join('\n')).not.toContain('hunter2')
    }
  })

  test('is found in a file of three thousand clients', () => {
    const client = (_: unknown, at: number) =>
      `  - { id: c${at}, secret: s, audience: [r], scopes: [a, b], grants: [client_credentials] }`
    const yaml = `version: 1\nresources: [{ id: r, audience: "urn:r", scopes: { a: A, b: B } }]\nclients:\n`
    const clients = Array.from({ length: 3_000 }, client)
    expect(folder.load(yaml + clients.join('\n')).config.clients).toHaveLength(3_000)
    expect(linesOf(() => folder.load(`${yaml}${clients.join('\n')}\n  - { id: c0, secret: s }`))).toEqual([
      'countersign.yaml:3004:11: clients[3000].id: "c0" is clients[0].id already',
    ])
  })
})
