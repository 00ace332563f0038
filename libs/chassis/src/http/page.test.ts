import { describe, expect, test } from '@jest/globals'
import { hash } from 'node:crypto'
import { asFailure, Failure, failureCodes } from '@countersign/contracts'
import { errorPage, formPostPage, html, pageAnswer, pageFailure } from './page.ts'

const hostile = `"><script>alert('1')</script>&amp;`
const shown = '&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;amp;'
const policy = ({ headers }: { headers?: Readonly<Record<string, string>> }) => headers!['content-security-policy']!
const inline = (page: { body?: string | Buffer }, tag: string) =>
  new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`).exec(String(page.body))?.[1] ?? ''
const source = (text: string) => `'sha256-${hash('sha256', text, 'base64')}'`

describe('a page', () => {
  test('escapes whatever is put into a template, in text, attributes and lists', () => {
    expect(String(html`<p title="${hostile}">${hostile}</p>`)).toBe(`<p title="${shown}">${shown}</p>`)
    expect(String(html`<i>${[hostile, html`<b>${1}</b>`]}</i>`)).toBe(`<i>${shown}<b>1</b></i>`)
    expect(String(html`${undefined}${false}${null}${0}${''}`)).toBe('0')
    expect(String(html`${'a\ud800b'}`)).toBe('a\ufffdb')
  })

  test('takes nothing for markup that only looks like it', () => {
    const forged = { text: '<b>', toString: () => '<b>' } as unknown as string
    expect(() => String(html`${forged}`)).toThrow()
  })

  test('is kept and framed by nobody, tells nobody where it was, and may use its own style alone', () => {
    const page = pageAnswer(200, { title: hostile, body: html`<h1>x</h1>`, formAction: "'self'" })
    expect(page.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    })
    expect(policy(page).split('; ')).toEqual([
      "default-src 'none'",
      `style-src ${source(inline(page, 'style'))}`,
      "form-action 'self'",
      "base-uri 'none'",
      "frame-ancestors 'none'",
    ])
    expect(page.body).toContain(`<title>${shown}</title>`)
    expect(page.body).toContain('<html lang="en">')
  })

  test('about an error says what it is told, escaped', () => {
    const page = errorPage(400, hostile, hostile)
    expect(page.status).toBe(400)
    expect(page.body).toContain(`<h1>${shown}</h1>`)
    expect(page.body).not.toContain('<script')
  })

  test.each(failureCodes)('about the failure %s has its status and no stack', (code) => {
    const page = pageFailure(new Failure(code, 'say it again', { cause: new Error('inside') }))
    expect(page.status).toBeGreaterThanOrEqual(400)
    expect(page.headers).not.toHaveProperty('www-authenticate')
    expect(page.headers!['content-type']).toBe('text/html; charset=utf-8')
    expect(page.body).not.toMatch(/inside|at .*\.ts/)
  })

  test('about what is not there for a while says when to come back; of what broke inside, nothing', () => {
    expect(pageFailure(new Failure('unavailable', 'redis at 10.0.0.1 is away'))).toMatchObject({
      status: 503,
      headers: { 'retry-after': '1' },
      body: expect.not.stringContaining('10.0.0.1'),
    })
    expect(pageFailure(asFailure(new Error('secret'))).body).not.toContain('secret')
    expect(pageFailure(new Failure('not_found', 'it is gone')).body).toContain('It is gone.')
  })
})

describe('a form that sends itself', () => {
  const page = formPostPage('https://app.example/cb?a=1&b="', [{ name: 'state', value: hostile }])

  test('carries its fields escaped', () => {
    expect(page.body).toContain('action="https://app.example/cb?a=1&amp;b=&quot;"')
    expect(page.body).toContain(`<input type="hidden" name="state" value="${shown}"`)
    expect(page.body).toContain('<button>')
  })

  test('runs one script, and lets the application redirect on', () => {
    expect(policy(page)).toContain(`script-src ${source(inline(page, 'script'))}`)
    expect(policy(page)).not.toContain('form-action')
  })

  test.each(['javascript:alert(1)', 'data:text/html,x', '//x', 'com.example:/cb'])(
    'goes nowhere but the web: %s',
    (uri) => {
      expect(() => formPostPage(uri, [])).toThrow(expect.objectContaining({ code: 'internal' }))
    },
  )
})
