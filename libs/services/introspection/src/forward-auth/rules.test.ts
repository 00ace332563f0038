import { describe, expect, test } from '@jest/globals'
import type { Identity } from './identity.ts'
import { createRules, lacking, requirementOf, type ForwardAuthRule } from './rules.ts'

const nothing = { scopes: [], roles: [], attributes: {}, anonymous: false }
const rule = (path: string, more: Partial<ForwardAuthRule> = {}): ForwardAuthRule => ({
  host: 'reports.example',
  path,
  ...nothing,
  ...more,
})
const get = (path: string, method = 'GET', host = 'reports.example') => ({ method, host, path })

describe('rules', () => {
  test.each([
    ['/', '/', true],
    ['/', '/anything', true],
    ['/api', '/api', true],
    ['/api', '/api/', true],
    ['/api', '/api/x', true],
    ['/api', '/apix', false],
    ['/api', '/API', false],
    ['/api', '/x/api', false],
    ['/api/', '/api/', true],
    ['/api/', '/api/x', true],
    ['/api/', '/api', false],
    ['/caf%C3%A9', '/café/x', true],
  ])('%s fits %s: %s', (path, asked, fits) => {
    expect(createRules([rule(path)])(get(asked)) !== undefined).toBe(fits)
  })

  test('fit their host and their methods; the first one that fits decides', () => {
    const rules = [
      rule('/', { host: 'Other.example', scopes: ['other'] }),
      rule('/api', { methods: ['GET'], scopes: ['read'] }),
      rule('/api', { methods: ['POST', 'PUT'], scopes: ['write'] }),
      rule('/api', { scopes: ['rest'] }),
      rule('/', { scopes: ['last'] }),
    ]
    const scopesFor = (...asked: Parameters<typeof get>) => createRules(rules)(get(...asked))?.scopes
    expect(scopesFor('/api/x')).toEqual(['read'])
    expect(scopesFor('/api/x', 'HEAD')).toEqual(['read'])
    expect(scopesFor('/api/x', 'PUT')).toEqual(['write'])
    expect(scopesFor('/api/x', 'DELETE')).toEqual(['rest'])
    expect(scopesFor('/x')).toEqual(['last'])
    expect(scopesFor('/api', 'GET', 'other.example')).toEqual(['other'])
    expect(scopesFor('/api', 'GET', 'third.example')).toBeUndefined()
    expect(createRules([])(get('/'))).toBeUndefined()
  })

  test.each(['/a/../b', '/a;b', '/a?b', '//', '/%zz', 'a'])('cannot be for %s', (path) => {
    expect(() => createRules([rule('/'), rule(path)])).toThrow('forward_auth.rules[1].path')
  })
})

describe('a query', () => {
  test('tells what is required', () => {
    expect(
      requirementOf('scope=read+write&scope=own&role=domain%20admin&attribute=unit:a:b&attribute=unit:c&attribute=x:y'),
    ).toEqual({
      scopes: ['read', 'write', 'own'],
      roles: ['domain admin'],
      attributes: { unit: ['a:b', 'c'], x: ['y'] },
      anonymous: false,
    })
    expect([requirementOf(''), requirementOf('&')]).toEqual([undefined, undefined])
  })

  test.each([
    'scopes=read',
    'scope=read&rol=admin',
    'scope=',
    'scope=a++b',
    'scope=%22',
    'scope=%0d%0a',
    'role=',
    'attribute=unit',
    'attribute=:x',
    'attribute=unit:',
    'x',
  ])('that is mistaken requires nothing less: %s', (query) => {
    expect(() => requirementOf(query)).toThrow(expect.objectContaining({ code: 'invalid_request' }))
  })
})

describe('what somebody lacks', () => {
  const identity: Identity = {
    subject: 'ann',
    clientId: 'web',
    scopes: ['read', 'write'],
    roles: ['editor', 'domain admin'],
    attributes: [{ name: 'unit', values: ['physics', 'law'] }],
  }
  test.each<[Partial<ForwardAuthRule>, string | undefined]>([
    [{}, undefined],
    [{ scopes: ['read', 'write'], roles: ['editor', 'domain admin'] }, undefined],
    [{ scopes: ['read', 'own'] }, 'the scope own is needed'],
    [{ scopes: ['rea'] }, 'the scope rea is needed'],
    [{ roles: ['editor', 'owner'] }, 'the role owner is needed'],
    [{ roles: ['admin'] }, 'the role admin is needed'],
    [{ attributes: { unit: ['art', 'law'] } }, undefined],
    [{ attributes: { unit: ['art'] } }, 'another value of the attribute unit is needed'],
    [{ attributes: { unit: ['law'], floor: ['1'] } }, 'another value of the attribute floor is needed'],
    [{ attributes: { constructor: ['name'] } }, 'another value of the attribute constructor is needed'],
  ])('of %j: %s', (required, lack) => {
    expect(lacking({ ...nothing, ...required }, identity)).toBe(lack)
  })

  test('of every scope there is none', () => {
    expect(lacking({ ...nothing, scopes: ['anything'] }, { ...identity, scopes: 'every' })).toBeUndefined()
    expect(lacking({ ...nothing, roles: ['owner'] }, { ...identity, scopes: 'every' })).toBeDefined()
  })
})
