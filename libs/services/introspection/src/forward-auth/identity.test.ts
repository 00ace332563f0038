import { expect, test } from '@jest/globals'
import { identityHeaders } from './identity.ts'

const none = () => []

test('an identity is told in five headers', () => {
  const identity = {
    subject: 'ann',
    clientId: 'web',
    scopes: ['openid', 'read:reports'],
    roles: ['editor', 'owner'],
    attributes: [
      { name: 'unit', values: ['physics', 'law'] },
      { name: 'floor', values: ['1'] },
    ],
  }
  expect(identityHeaders(identity, none)).toEqual({
    'x-auth-subject': 'ann',
    'x-auth-client': 'web',
    'x-auth-scopes': 'openid read:reports',
    'x-auth-roles': 'editor,owner',
    'x-auth-attributes': 'unit=physics,unit=law,floor=1',
  })
})

test('nobody is told in as many', () => {
  const empty = ['x-auth-subject', 'x-auth-client', 'x-auth-scopes', 'x-auth-roles', 'x-auth-attributes']
  expect(identityHeaders(undefined, none)).toEqual(Object.fromEntries(empty.map((name) => [name, ''])))
})

test('whatever somebody is called, a header is what it was, and can be read back', () => {
  const odd = ['a\r\nX-Auth-Roles: admin', 'zoë,admin', '100%', 'a b', 'a=b', '"q"', 'a;b\\c', '\u202e\0😀', '']
  const attributes = odd.map((name) => ({ name, values: odd }))
  const identity = { subject: odd.join(''), clientId: 'ü', scopes: ['a,b'], roles: odd, attributes }
  const headers = identityHeaders(identity, none)
  for (const value of Object.values(headers)) expect(value).toMatch(/^[\x21-\x7e]*$/)
  const decode = (text: string) => decodeURIComponent(text)
  expect(decode(headers['x-auth-subject'])).toBe(odd.join(''))
  expect(headers['x-auth-roles'].split(',').map(decode)).toEqual(odd)
  expect(headers['x-auth-attributes'].split(',').map((pair) => pair.split('=').map(decode))).toEqual(
    odd.flatMap((name) => odd.map((value) => [name, value])),
  )
  expect(headers['x-auth-roles']).toContain('zo%C3%AB%2Cadmin')
})

test('every scope is every one that there is', () => {
  const identity = { subject: 'ann', clientId: '', scopes: 'every', roles: [], attributes: [] } as const
  expect(identityHeaders(identity, () => ['a', 'b'])['x-auth-scopes']).toBe('a b')
})
