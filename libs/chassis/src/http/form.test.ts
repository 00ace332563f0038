import { describe, expect, test } from '@jest/globals'
import { asFailure } from '@countersign/contracts'
import { parseBasic } from './basic.ts'
import { parseForm } from './form.ts'

const type = 'application/x-www-form-urlencoded'
const parse = (text: string | Buffer, contentType: string | undefined = type) =>
  Object.fromEntries(parseForm(Buffer.from(text), contentType))
const codeOf = (act: () => unknown) => {
  try {
    act()
  } catch (thrown) {
    return asFailure(thrown).code
  }
  return 'ok'
}

describe('a form', () => {
  test.each([
    ['', {}],
    ['a=1', { a: '1' }],
    ['a=1&b=2', { a: '1', b: '2' }],
    ['&&a=1&&', { a: '1' }],
    ['a=1=2', { a: '1=2' }],
    ['a=&b&c=3', { c: '3' }],
    ['a+b=c+d', { 'a b': 'c d' }],
    ['scope=read%3Areports%20x', { scope: 'read:reports x' }],
    ['name=%C3%BC%F0%9F%8E%88', { name: 'ü🎈' }],
    ['name=ü', { name: 'ü' }],
    ['__proto__=1', { ['__proto__']: '1' }],
  ])('%j is read', (text, form) => expect(parse(text)).toEqual(form))

  test.each([
    ['a broken escape', 'a=%zz'],
    ['a cut-off escape', 'a=%4'],
    ['an escape that is not UTF-8', 'a=%ff'],
    ['an overlong encoding', 'a=%c0%af'],
    ['an escaped surrogate', 'a=%ED%A0%80'],
    ['bytes that are not UTF-8', Buffer.from([0x61, 0x3d, 0xff])],
    ['a surrogate as bytes', Buffer.from([0x61, 0x3d, 0xed, 0xa0, 0x80])],
    ['an escaped NUL', 'a=b%00c'],
    ['a NUL', 'a=b\0c'],
    ['a NUL in a name', 'a%00=b'],
    ['a parameter twice', 'a=1&b=2&a=1'],
    ['a parameter twice, once without a value', 'a=&a=1'],
    ['a parameter twice, once escaped', 'a=1&%61=2'],
  ])('%s is refused', (_, text) => expect(codeOf(() => parse(text))).toBe('invalid_request'))

  test('a repeated name is told, unless it is no name', () => {
    expect(() => parse('grant_type=a&grant_type=b')).toThrow('grant_type is there more than once')
    expect(() => parse('%3Cb%3E=1&%3Cb%3E=2')).toThrow('a parameter is there more than once')
  })

  test('ten thousand parameters are refused in milliseconds', () => {
    const text = Buffer.from(Array.from({ length: 10_000 }, (_, i) => `p${i}=${i}`).join('&'))
    const startedMs = performance.now()
    for (let i = 0; i < 100; i++) expect(codeOf(() => parseForm(text, type))).toBe('invalid_request')
    expect((performance.now() - startedMs) / 100).toBeLessThan(20)
    expect(Object.keys(parse(Array.from({ length: 100 }, (_, i) => `p${i}=1`).join('&')))).toHaveLength(100)
  })

  test.each([
    undefined,
    'application/json',
    'text/plain',
    'multipart/form-data; boundary=x',
    `${type}; charset=utf-16`,
    '',
  ])('the content type %j is refused', (contentType) =>
    expect(codeOf(() => parseForm(Buffer.from('a=1'), contentType))).toBe('unsupported_media_type'),
  )

  test.each([type, `${type}; charset=UTF-8`, `${type};charset="utf-8"`, 'Application/X-WWW-Form-Urlencoded'])(
    'the content type %j is taken',
    (contentType) => expect(parse('a=1', contentType)).toEqual({ a: '1' }),
  )
})

describe('Basic credentials', () => {
  const header = (text: string | Buffer) => `Basic ${Buffer.from(text).toString('base64')}`

  test.each([
    [header('id:secret'), { id: 'id', secret: 'secret' }],
    [header('id:'), { id: 'id', secret: '' }],
    [header('id:a:b'), { id: 'id', secret: 'a:b' }],
    [header('a%3Ab:c+d%2Be'), { id: 'a:b', secret: 'c d+e' }],
    [header('id:%C3%BC'), { id: 'id', secret: 'ü' }],
    [header('id:secret').replace('Basic', 'bAsIc').replace(/=+$/, ''), { id: 'id', secret: 'secret' }],
  ])('%s are read', (given, credentials) => expect(parseBasic(given)).toEqual(credentials))

  test('another scheme, or none, is no Basic credentials', () => {
    expect(parseBasic(undefined)).toBeUndefined()
    expect(parseBasic('Bearer abc')).toBeUndefined()
    expect(parseBasic('Basically abc')).toBeUndefined()
  })

  test.each([
    'Basic',
    'Basic ',
    'Basic !!!!',
    'Basic a',
    header('no colon'),
    header(':secret'),
    header('id:%zz'),
    header('id:a\0b'),
    header(Buffer.from([0x69, 0x3a, 0xff])),
  ])('%j is refused as invalid_client', (given) => expect(codeOf(() => parseBasic(given))).toBe('invalid_client'))
})
