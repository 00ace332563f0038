import { afterAll, describe, expect, test } from '@jest/globals'
import { ConfigFolder } from './config-folder.ts'

const folder = new ConfigFolder()
afterAll(() => folder.remove())
const ca = folder.write('ca.pem', 'PEM')

const text = 'expected text on one line'
const filter = 'expected an LDAP filter such as (uid={login_name}) (RFC 4515)'

describe('a rule for roles', () => {
  const providers = 'providers: [{ id: staff, kind: local }]'
  const rule = (when: string) => `roles: [{ grant: [admin], when: ${when} }]`

  test.each([
    ['{ provider: staff }', { provider: 'staff' }],
    ['{ email: [Ops@Example.org] }', { email: ['Ops@Example.org'] }],
    ['{ email_domains: [Example.org] }', { emailDomains: ['example.org'] }],
    ['{ login_name: [root] }', { loginName: ['root'] }],
    ['{ roles: ["/group/a b"] }', { roles: ['/group/a b'] }],
    ['{ attributes: { team: [a, b], home_town: [c] } }', { attributes: { team: ['a', 'b'], home_town: ['c'] } }],
  ])('may ask for %s alone', (when, parsed) => {
    const { roles } = folder.load(`version: 1\n${providers}\n${rule(when)}`).config
    expect(roles).toEqual([{ grant: ['admin'], when: parsed }])
  })

  const needs = 'needs a condition: provider, email, email_domains, login_name, roles or attributes'

  test.each([
    ['{}', `when: ${needs}`],
    ['{ attributes: {} }', `when: ${needs}`],
    ['', 'when: expected a map of keys, got nothing'],
    ['{ email: [] }', 'when.email: expected a list of 1 or more, got a list'],
    [
      '{ email: a@b.example }',
      'when.email: expected a list of 1 or more, got "a@b.example"; did you mean [a@b.example]?',
    ],
    ['{ email: [a] }', 'when.email[0]: expected an email address, got "a"'],
    ['{ email_domains: ["a b"] }', 'when.email_domains[0]: expected a host name, got "a b"'],
    ['{ login_name: [""] }', `when.login_name[0]: ${text}, got ""`],
    ['{ attributes: { team: a } }', 'when.attributes.team: expected a list of 1 or more, got "a"; did you mean [a]?'],
    ['{ attributes: { team: [] } }', 'when.attributes.team: expected a list of 1 or more, got a list'],
    ['{ emial: [a@b.example] }', 'when.emial: is not a key; did you mean email?'],
  ])('for %s is refused', (when, line) => {
    const [told, ...others] = folder.second(rule(when))
    expect(others).toEqual([])
    expect(told?.replace(/^2:\d+: roles\[0\]\./, '')).toBe(line)
  })

  test('gives something', () => {
    expect(folder.second('roles: [{ grant: [], when: { roles: [a] } }]')).toEqual([
      '2:18: roles[0].grant: expected a list of 1 or more, got a list',
    ])
  })
})

describe('a directory', () => {
  const least = 'id: d, url: "ldaps://ldap.example", base: "dc=example,dc=org", filter: "(uid={login_name})"'

  test('needs little', () => {
    expect(folder.load(`version: 1\ndirectories: [{ ${least} }]`).config.directories).toEqual([
      {
        id: 'd',
        url: 'ldaps://ldap.example',
        base: 'dc=example,dc=org',
        filter: '(uid={login_name})',
        roles: {},
        attributes: {},
        timeoutMs: 3_000,
      },
    ])
  })

  test('takes everything', () => {
    const { config } = folder.load(
      `version: 1
providers: [{ id: staff, kind: local }]
directories:
  - id: d
    url: ldaps://[::1]:1636
    ca: ca.pem
    bind_dn: cn=reader,dc=example,dc=org
    bind_password: { env: BIND }
    base: ou=people,dc=example,dc=org
    filter: (&(objectClass=person)(|(uid={login_name})(mail={email})(!(sub={subject}))))
    groups: { base: "ou=groups,dc=example,dc=org", filter: "(member:1.2.840.113556.1.4.1941:={dn})", name: displayName }
    roles: { wheel and more: [admin, ops] }
    attributes: { team: departmentNumber }
    providers: [staff]
    timeout: 1s`,
      { BIND: 's3cret' },
    )
    const [directory] = config.directories
    expect(directory).toEqual({
      id: 'd',
      url: 'ldaps://[::1]:1636',
      ca,
      bindDn: 'cn=reader,dc=example,dc=org',
      bindPassword: expect.anything(),
      base: 'ou=people,dc=example,dc=org',
      filter: '(&(objectClass=person)(|(uid={login_name})(mail={email})(!(sub={subject}))))',
      groups: {
        base: 'ou=groups,dc=example,dc=org',
        filter: '(member:1.2.840.113556.1.4.1941:={dn})',
        name: 'displayName',
      },
      roles: { 'wheel and more': ['admin', 'ops'] },
      attributes: { team: 'departmentNumber' },
      providers: ['staff'],
      timeoutMs: 1_000,
    })
    expect(directory?.bindPassword?.reveal()).toBe('s3cret')
  })

  test.each([
    ['(uid=x)', 'needs {login_name}, {email} or {subject} in it, or everybody would be found alike'],
    [
      '(uid={logn_name})',
      'has "{logn_name}", which is not {login_name}, {email} or {subject}; did you mean {login_name}?',
    ],
    ['(uid={login_name})(mail={dn})', `${filter}, got "(uid={login_name})(mail={dn})"`],
    ['(&(uid={login_name})(mail={dn}))', 'has "{dn}", which is not {login_name}, {email} or {subject}'],
    ['uid={login_name}', `${filter}, got "uid={login_name}"`],
    ['(uid={login_name}', `${filter}, got "(uid={login_name}"`],
    ['(&(uid={login_name}))) ', `${filter}, got "(&(uid={login_name}))) "`],
    ['({login_name})', `${filter}, got "({login_name})"`],
    ['(&)', `${filter}, got "(&)"`],
    ['(!(a={email})(b=c))', `${filter}, got "(!(a={email})(b=c))"`],
    ['', `${filter}, got ""`],
  ])('searches by %s: refused', (given, line) => {
    const keys = `id: d, url: "ldaps://h", base: dc=x, filter: "${given}"`
    expect(folder.second(`directories: [{ ${keys} }]`)).toEqual([`2:62: directories[0].filter: ${line}`])
  })

  test('is warned of where it finds people by the subject that any provider may say', () => {
    const warnings = (filter: string, rest = '') => {
      const keys = `id: d, url: "ldaps://h", base: dc=x, filter: "${filter}"${rest}`
      return folder.load(`version: 1\nproviders: [{ id: p, kind: local }]\ndirectories: [{ ${keys} }]`).warnings
    }
    for (const filter of ['(uid={subject})', '(|(mail={email})(uid={subject}))']) {
      expect(warnings(filter)).toEqual([
        'directories[0].filter: any provider could say that {subject}; name in providers those that it is of',
      ])
      expect(warnings(filter, ', providers: [p]')).toEqual([])
    }
    expect(warnings('(uid={login_name})')).toEqual([])
  })

  test('is not stopped by a filter of many brackets', () => {
    const deep = `${'(!'.repeat(330)}(a={email})${')'.repeat(330)}`
    const keys = (given: string) => `id: d, url: "ldaps://h", base: dc=x, filter: "${given}"`
    expect(folder.second(`directories: [{ ${keys(deep)} }]`)).toEqual([])
    expect(folder.second(`directories: [{ ${keys('('.repeat(1_024))} }]`)).toHaveLength(1)
    expect(folder.second(`directories: [{ ${keys(`(a={email}${'x'.repeat(1_024)})`)} }]`)).toHaveLength(1)
  })

  test.each([
    ['bind_dn: cn=x', 'bind_dn: needs bind_password beside it'],
    ['bind_password: s', 'bind_password: needs bind_dn beside it'],
    [
      'bind_dn: cn=x, bind_password: ""',
      'bind_password: expected text in quotes, { env: NAME } or { file: path }, got empty text',
    ],
    [
      'groups: { base: dc=x, filter: "(cn=all)" }',
      'groups.filter: needs {dn} or {login_name} in it, or everybody would be found alike',
    ],
    [
      'groups: { base: x, filter: "(member={dn})" }',
      'groups.base: expected a distinguished name such as ou=people,dc=example,dc=org (RFC 4514), got "x"',
    ],
    ['attributes: { team: "a b" }', 'attributes.team: expected an attribute of the directory, such as mail, got "a b"'],
    ['ca: nope.pem', `ca: the file ${folder.path}/nope.pem does not exist`],
  ])('with %s is refused', (keys, line) => {
    expect(
      folder
        .second(`directories: [{ ${least}, ${keys} }]`)
        .map((text) => text.replace(/^2:\d+: directories\[0\]\./, '')),
    ).toEqual([line])
  })

  test.each([
    'ldaps:/h',
    'ldapi:///run/ldap',
    'ldaps://h/dc=x',
    'ldaps://h:0',
    'ldaps://u@h',
    'ldaps://h1,h2',
    'https://h',
  ])('at %s is refused', (url) => {
    const [line] = folder.second(`directories: [{ id: d, url: "${url}", base: dc=x, filter: "(uid={login_name})" }]`)
    expect(line).toMatch(
      /^2:29: directories\[0\]\.url: expected ldaps:\/\/host or ldap:\/\/host, with or without :port, got /,
    )
  })
})

describe('a rule of forward-auth', () => {
  const rule = (keys: string) => folder.second(`forward_auth: { rules: [{ host: a.example, ${keys} }] }`)

  test('asks for roles and attributes, or lets everybody through', () => {
    const yaml = 'roles: [a], attributes: { team: [b] } }, { host: b.example, anonymous: true, roles: []'
    const { config } = folder.load(`version: 1\nforward_auth: { rules: [{ host: a.example, ${yaml} }] }`)
    expect(config.forwardAuth.rules).toMatchObject([
      { roles: ['a'], attributes: { team: ['b'] }, anonymous: false },
      { roles: [], attributes: {}, anonymous: true },
    ])
  })

  test.each(['scopes: [a]', 'roles: [a]', 'attributes: { team: [a] }'])('does not do both, with %s', (keys) => {
    const [key] = keys.split(':')
    expect(rule(`anonymous: true, ${keys}`)).toEqual([
      `2:55: forward_auth.rules[0].anonymous: lets everybody through, which ${key} beside it does not`,
    ])
    expect(rule(`anonymous: false, ${keys}`)).toEqual([])
  })
})
