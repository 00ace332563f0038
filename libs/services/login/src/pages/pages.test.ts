import { describe, expect, test } from '@jest/globals'
import { hash } from 'node:crypto'
import type { HttpAnswer } from '@countersign/chassis'
import { Failure, failureCodes } from '@countersign/contracts'
import { languages } from '../speech.ts'
import { errorPage, paths, resetRequestPage, signedOutPage, signInPage, ties } from './index.ts'
import { look, paperIn, samples } from './testing/samples.ts'
import { brokenReferences, elementsOf } from './testing/well-formed.ts'

const hostile = `"><script>alert('1')</script>\u202e&amp;{client}`
const escaped = '&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;\u202e&amp;amp;{client}'
const names = Object.keys(samples(paperIn('en')))
const bodyOf = ({ body }: HttpAnswer) => String(body)
const policyOf = ({ headers }: HttpAnswer) => headers!['content-security-policy']!.split('; ')
const inline = (page: HttpAnswer, tag: string) =>
  [...bodyOf(page).matchAll(new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`, 'g'))].map(
    ([, text]) => `'sha256-${hash('sha256', text!, 'base64')}'`,
  )

describe.each(languages)('pages in %s', (language) => {
  const pages = samples(paperIn(language))

  test.each(names)('%s is well-formed, and says in what language it is and whose', (name) => {
    const page = pages[name]!
    const elements = elementsOf(bodyOf(page))
    expect(brokenReferences(elements)).toEqual([])
    expect(elements.find((each) => each.name === 'html')!.attributes.get('lang')).toBe(language)
    expect(elements.filter((each) => each.name === 'h1')).toHaveLength(1)
    expect(bodyOf(page)).toContain('<bdi>Meridian</bdi>')
    expect(bodyOf(page)).not.toMatch(/\{\w+\}(?![^<]*<\/(style|script)>)|undefined|\[object/)
  })

  test('have a title of their own', () => {
    const titles = names.map((name) => /<title>([^<]+)<\/title>/.exec(bodyOf(pages[name]!))![1])
    expect(new Set(titles).size).toBeGreaterThan(18)
    expect(titles.every((title) => title === titles[names.indexOf('return')] || title!.endsWith(' · Meridian'))).toBe(
      true,
    )
  })
})

describe('every page', () => {
  const hostileNames = { person: hostile, client: hostile, provider: hostile }

  test.each(names)('%s shows names as text, whatever they hold', (name) => {
    const paper = { ...paperIn('en'), look: { ...look, name: hostile } }
    const body = bodyOf(samples(paper, hostileNames)[name]!)
    elementsOf(body)
    expect(body).toContain(escaped)
    expect(body).not.toContain("<script>alert('1')")
  })

  test.each(names)('%s keeps what turns text around within the name', (name) => {
    const body = bodyOf(samples(paperIn('en'), hostileNames)[name]!).replace(/<title>.*<\/title>/, '')
    const text = body.replace(/<([\w/]+)[^>]*>/g, '<$1>')
    expect(text.split(escaped).length).toBe(text.split(`<bdi>${escaped}</bdi>`).length)
  })

  test.each(names)('%s runs and shows what its policy names, and nothing else', (name) => {
    const page = samples(paperIn('en'))[name]!
    const policy = policyOf(page)
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain(`style-src ${inline(page, 'style').join(' ')}`)
    expect(policy).toContain('img-src data:')
    const scripts = inline(page, 'script')
    expect(policy.filter((each) => each.startsWith('script-src'))).toEqual(scripts.map((each) => `script-src ${each}`))
    expect(bodyOf(page)).not.toMatch(/ (style|on\w+)=/)
  })

  test.each(['', '../', '../../'])('leads from wherever it lies to the pages beside the sign-in page: %j', (root) => {
    const leads = Object.values(samples(paperIn('de', root))).flatMap((page) =>
      elementsOf(bodyOf(page)).flatMap(({ attributes }) => attributes.get('href') ?? attributes.get('action') ?? []),
    )
    const ours = leads.filter((each) => !/^(https|otpauth):/.test(each) && each !== 'login?request=r1')
    const known = [...Object.values(paths), 'account/'].map((path) => `${root}${path}`)
    expect(ours.filter((each) => !known.some((path) => each.startsWith(path)))).toEqual([])
    expect(ours).toContain(`${root}login`)
  })
})

describe('the sign-in page', () => {
  const [offer] = [
    {
      page: { loginHint: 'alice', uiLocales: [], display: '', again: false, acrValues: [], client: undefined },
      ties: { purpose: { $case: 'requestId', value: 'r1' }, csrf: 'x' } as const,
      providers: [{ id: 'google', name: 'Google' }],
      local: true,
      canReset: true,
    },
  ]
  const inputs = (page: HttpAnswer) => elementsOf(bodyOf(page)).filter(({ name }) => name === 'input')

  test('offers each provider as a button of a form of their own, tied as the other is', () => {
    const page = signInPage(paperIn('en'), offer)
    expect(bodyOf(page)).toMatch(
      /<button class="second" name="provider" value="google">[\s\S]*Continue with <bdi>Google</,
    )
    const tied = inputs(page).filter(({ attributes }) => attributes.get('name') === 'csrf')
    expect(tied).toHaveLength(2)
    expect(page.headers).not.toHaveProperty('retry-after')
  })

  test('has no fields where accounts are not kept here, and no script where there are no passkeys', () => {
    const page = signInPage(paperIn('en'), { ...offer, local: false, canReset: false })
    expect(inputs(page).every(({ attributes }) => attributes.get('type') === 'hidden')).toBe(true)
    expect(bodyOf(page)).not.toContain('<script>')
  })

  test('keeps to what the person is here for on the way to a new password', () => {
    expect(bodyOf(signInPage(paperIn('en'), offer))).toContain('href="login/reset?request=r1"')
    expect(bodyOf(signInPage(paperIn('en'), { ...offer, canReset: false }))).not.toContain('login/reset')
  })

  test('says both of the fields and above them that they are wrong', () => {
    const mistake = { status: 401, message: 'Wrong.', retryAfterSeconds: 2.1 }
    const page = signInPage(paperIn('en'), { ...offer, mistake, loginName: 'bob' })
    expect(page).toMatchObject({ status: 401, headers: { 'retry-after': '3' } })
    const wrong = inputs(page).filter(({ attributes }) => attributes.get('aria-describedby') === 'mistake')
    expect(wrong.map(({ attributes }) => attributes.get('name'))).toEqual(['login_name', 'password'])
    expect(wrong[0]!.attributes.get('value')).toBe('bob')
    expect(wrong[1]!.attributes.has('autofocus')).toBe(true)
  })
})

describe('a form', () => {
  test('carries what it is told to', () => {
    const carried = String(ties({ purpose: { $case: 'userCode', value: 'BCDFGHJK' }, csrf: '"' }, { token: '<' }))
    expect(carried).toContain('name="csrf" value="&quot;"')
    expect(carried).toContain('name="user_code" value="BCDFGHJK"')
    expect(carried).toContain('name="token" value="&lt;"')
  })
})

describe('a page about a failure', () => {
  test.each(failureCodes)('says of %s what it means, and when to come back', (code) => {
    const failure = new Failure(code, 'say it again', { retryAfterSeconds: 90, cause: new Error('inside') })
    const page = errorPage(paperIn('de', '../'), failure)
    expect(page.status).toBeGreaterThanOrEqual(400)
    expect(page.headers).toMatchObject({ 'retry-after': '90' })
    expect(page.headers).not.toHaveProperty('www-authenticate')
    expect(bodyOf(page)).toContain('href="../login"')
    expect(bodyOf(page)).toContain('href="https://meridian.example/help"')
    expect(bodyOf(page)).not.toContain('inside')
  })

  test('says how long to wait in the language of the page', () => {
    const busy = new Failure('too_many_requests', 'x', { retryAfterSeconds: 90 })
    expect(bodyOf(errorPage(paperIn('de'), busy))).toContain('Bitte warten Sie 2 Minuten')
  })

  test('tells those who help what the failure says of itself, but nothing of what went wrong inside', () => {
    expect(bodyOf(errorPage(paperIn('fr'), new Failure('not_found', 'it is over')))).toContain(
      'Détails\u00a0: <span lang="en">It is over.</span>',
    )
    for (const code of ['internal', 'unavailable', 'deadline_exceeded'] as const)
      expect(bodyOf(errorPage(paperIn('en'), new Failure(code, 'redis at 10.0.0.1')))).not.toMatch(
        /10\.0\.0\.1|Details/,
      )
  })
})

describe('the way out', () => {
  test.each(['javascript:alert(1)', 'data:text/html,x', '//evil.example'])('is never %s', (url) => {
    expect(bodyOf(signedOutPage(paperIn('en'), { name: 'Google', url }))).not.toContain(url)
  })
})

describe('a page without a look', () => {
  test('has no logo, so none is allowed, and no help to offer', () => {
    const plain = { ...look, logo: undefined, support: undefined }
    const page = resetRequestPage({ ...paperIn('en'), look: plain }, { ties: { purpose: undefined, csrf: 'x' } })
    expect(policyOf(page).some((each) => each.startsWith('img-src'))).toBe(false)
    expect(bodyOf(page)).not.toMatch(/<img|<footer/)
  })
})
