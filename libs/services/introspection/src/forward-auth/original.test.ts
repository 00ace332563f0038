import { describe, expect, test } from '@jest/globals'
import { originalOf } from './original.ts'

const read = (headers: Record<string, string | string[]>) =>
  originalOf((name) => [headers[name.toLowerCase()] ?? []].flat())

const traefik = {
  'x-forwarded-method': 'GET',
  'x-forwarded-host': 'reports.example',
  'x-forwarded-uri': '/api/x?y=1',
}
const nginx = { 'x-original-method': 'GET', 'x-original-url': 'https://reports.example/api/x?y=1' }
const original = { method: 'GET', host: 'reports.example', path: '/api/x' }

describe('the request that a gateway asks about', () => {
  test.each([
    ['Traefik and Caddy say it', traefik],
    ['nginx says it as a URL', nginx],
    [
      'nginx says it in parts',
      { ...nginx, 'x-original-url': [], 'x-original-uri': '/api/x?y=1', 'x-forwarded-host': 'reports.example' },
    ],
    ['everything says the same', { ...traefik, ...nginx, 'x-original-uri': '/api/x?y=1' }],
    ['there is a port', { ...traefik, 'x-forwarded-host': 'reports.example:8443' }],
    ['the host is in capitals, and ends with a dot', { ...traefik, 'x-forwarded-host': 'REPORTS.Example.' }],
  ])('is read when %s', (_, headers) => {
    expect(read(headers)).toEqual(original)
  })

  test('may be of an IPv6 host', () => {
    expect(read({ ...nginx, 'x-original-url': 'http://[::1]:8080/' })).toMatchObject({ host: '[::1]', path: '/' })
  })

  test.each<[string, Record<string, string | string[]>]>([
    ['nothing is said', {}],
    ['no method is said', { ...traefik, 'x-forwarded-method': [] }],
    ['no host is said', { ...traefik, 'x-forwarded-host': [] }],
    ['no path is said', { ...traefik, 'x-forwarded-uri': [] }],
    ['the host is left to the client', { 'x-original-method': 'GET', 'x-original-uri': '/api/x' }],
    ['behind nginx, a client says another path', { ...nginx, 'x-forwarded-uri': '/public' }],
    ['behind nginx, a client says another method', { ...nginx, 'x-forwarded-method': 'HEAD' }],
    ['behind nginx, a client says another host', { ...nginx, 'x-forwarded-host': 'public.example' }],
    ['behind Traefik, a client says another path', { ...traefik, 'x-original-uri': '/public' }],
    ['behind Traefik, a client says another URL', { ...traefik, 'x-original-url': 'https://reports.example/public' }],
    ['behind Traefik, a client says what is no URL', { ...traefik, 'x-original-url': 'x' }],
    ['behind Traefik, a client says an empty path', { ...traefik, 'x-original-uri': '' }],
    ['behind Traefik, a client says another method', { ...traefik, 'x-original-method': 'POST' }],
    ['a header is there twice', { ...traefik, 'x-forwarded-uri': ['/api/x?y=1', '/public'] }],
    ['two hosts are in one header', { ...traefik, 'x-forwarded-host': 'reports.example, public.example' }],
    ['the host is none', { ...traefik, 'x-forwarded-host': 'user@reports.example' }],
    ['the host is empty', { ...traefik, 'x-forwarded-host': '' }],
    ['the method is in small letters', { ...traefik, 'x-forwarded-method': 'get' }],
    ['the method is two', { ...traefik, 'x-forwarded-method': 'GET, POST' }],
    ['the path is none', { ...traefik, 'x-forwarded-uri': '%zz' }],
    ['the path is a URL', { ...traefik, 'x-forwarded-uri': 'https://reports.example/api/x' }],
    ['the URL has no path', { ...nginx, 'x-original-url': 'https://reports.example' }],
    ['the URL is not of the web', { ...nginx, 'x-original-url': 'ftp://reports.example/' }],
  ])('is refused when %s', (_, headers) => {
    expect(() => read(headers)).toThrow(expect.objectContaining({ code: 'access_denied' }))
  })

  test('is not a valid one when its path can be read in two ways', () => {
    for (const headers of [
      { ...traefik, 'x-forwarded-uri': '/a/../b' },
      { ...nginx, 'x-original-url': 'https://reports.example//b' },
    ]) {
      expect(() => read(headers)).toThrow(expect.objectContaining({ code: 'invalid_request' }))
    }
  })
})
