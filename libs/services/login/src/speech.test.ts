import { describe, expect, test } from '@jest/globals'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { html } from '@countersign/chassis'
import { languageOf, languages, speechIn, type WordKey } from './speech.ts'

const folder = fileURLToPath(new URL('.', import.meta.url))
const areas = ['sign-in', 'account', 'mail'] as const
const wordsOf = (area: string, language: string): Record<string, string> =>
  JSON.parse(readFileSync(join(folder, `words/${area}.${language}.json`), 'utf8'))
const placeholders = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort()

/** Words that are the same in another language, too. */
const alike: Readonly<Record<string, readonly string[]>> = {
  'field.code': ['de', 'fr'],
  'account.passkeys.title': ['de'],
  'account.applications.title': ['fr'],
}

describe.each(areas)('the words of %s', (area) => {
  const english = wordsOf(area, 'en')

  test('are the files that are there, and no more', () => {
    const files = readdirSync(join(folder, 'words')).filter((name) => name.startsWith(`${area}.`))
    expect(files.sort()).toEqual(languages.map((language) => `${area}.${language}.json`).sort())
  })

  test.each(languages)('are complete in %s', (language) => {
    const words = wordsOf(area, language)
    expect(Object.keys(words)).toEqual(Object.keys(english))
    for (const [key, text] of Object.entries(words)) {
      expect([key, placeholders(text)]).toEqual([key, placeholders(english[key]!)])
      expect([key, text.trim()]).toEqual([key, text])
      expect([key, text]).not.toEqual([key, ''])
      expect([key, /[{}]/.test(text.replace(/\{\w+\}/g, ''))]).toEqual([key, false])
    }
  })

  test.each(languages.filter((language) => language !== 'en'))('are not English in %s', (language) => {
    const same = Object.entries(wordsOf(area, language)).filter(([key, text]) => text === english[key])
    expect(same.map(([key]) => key).filter((key) => !alike[key]?.includes(language))).toEqual([])
  })

  test('are all said somewhere', () => {
    const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
      /(?<!\.test)\.ts$/.test(name),
    )
    const text = sources.map((name) => readFileSync(join(folder, name), 'utf8')).join('\n')
    // Of letters, each has a subject and a text: `mail.${kind}.subject`.
    const families = [...text.matchAll(/`([\w.]*)\$\{\w+\}([\w.]*)`/g)].filter(([, start]) => start!.endsWith('.'))
    const isFamily = (key: string) => families.some(([, start, end]) => key.startsWith(start!) && key.endsWith(end!))
    expect(Object.keys(english).filter((key) => !text.includes(`'${key}'`) && !isFamily(key))).toEqual([])
  })
})

describe('speech', () => {
  test('puts values where they belong, in text and in markup', () => {
    const { say, tell } = speechIn('de')
    expect(say('choose.hint', { least: 1_000 })).toContain('Mindestens 1.000 Zeichen')
    expect(say('sign_in.to', { client: '{client}' })).toBe('weiter zu {client}')
    expect(String(tell('sign_in.to', { client: '<b>' }))).toBe('weiter zu &lt;b&gt;')
    expect(String(tell('sign_in.to', { client: html`<b>${'<'}</b>` }))).toBe('weiter zu <b>&lt;</b>')
    expect(String(tell('choose.hint', { least: 1_000 }))).toContain('1.000')
  })

  test('does not leave a value out', () => {
    expect(() => speechIn('en').say('sign_in.to')).toThrow(expect.objectContaining({ code: 'internal' }))
    expect(() => speechIn('en').tell('sign_in.to', { provider: 'x' })).toThrow()
  })

  test.each(languages)('has all its words in %s', (language) => {
    const keys = areas.flatMap((area) => Object.keys(wordsOf(area, 'en'))) as WordKey[]
    const anything = new Proxy({}, { get: () => 'x' })
    for (const key of keys) expect(speechIn(language).say(key, anything)).not.toBe('')
  })

  test.each([
    [0, '1 second'],
    [29_500, '30 seconds'],
    [60_000, '1 minute'],
    [61_000, '2 minutes'],
    [3_600_000, '1 hour'],
    [86_400_000 * 3, '3 days'],
  ])('says of %d ms that they are %s, never less', (milliseconds, words) => {
    expect(speechIn('en').duration(milliseconds)).toBe(words)
  })

  test('says how long ago something was, and when', () => {
    const now = 1_772_000_000_000
    expect(speechIn('en').ago(now - 59_000, now)).toBe('now')
    expect(speechIn('en').ago(now + 5_000, now)).toBe('now')
    expect(speechIn('de').ago(now - 7_300_000, now)).toBe('vor 2 Stunden')
    expect(speechIn('es').ago(now - 86_400_000, now)).toBe('ayer')
    expect(speechIn('en').date(now)).toBe('25 February 2026 at 06:13 UTC')
    expect(speechIn('fr').date(now)).toContain('25 février 2026')
  })
})

describe('the language of a page', () => {
  test.each([
    [[], 'fr', 'fr'],
    [[], 'de-CH-1996, en;q=0.9', 'de'],
    [[], 'nl, es;q=0.5, de;q=0.7', 'de'],
    [[], 'DE-at;q=0.1 , en ; q=0.05', 'de'],
    [[], 'de;q=0, fr;q=0.2', 'fr'],
    [[], 'de;q=0', 'en'],
    [[], 'x-de, i-fr', 'en'],
    [[], 'zh-Hant-x-de, es', 'es'],
    [[], 'fr-x-y', 'fr'],
    [[], '*', 'en'],
    [[], 'de;q=2, fr;q=x, es;', 'en'],
    [[], 'deutsch, de_DE, -de', 'en'],
    [[], '', 'en'],
    [['nl', 'es-MX'], 'de', 'es'],
    [['nl'], 'de', 'de'],
    [['toString', '__proto__', ''], undefined, 'en'],
  ])('for an application that asks %j and a browser that asks %j is %s', (uiLocales, acceptLanguage, language) => {
    expect(languageOf(uiLocales, acceptLanguage, 'en')).toBe(language)
  })

  test('is what whoever runs this says, when nobody asks for one that there is', () => {
    expect(languageOf(['nl'], 'pt', 'es')).toBe('es')
  })

  test('is found in no time, whatever is asked', () => {
    const before = performance.now()
    expect(languageOf(Array(100_000).fill('nl'), `${'a-'.repeat(50_000)},de`, 'en')).toBe('en')
    expect(languageOf([`${'x-'.repeat(500_000)}de`], `${'nl;q=0.'.repeat(20_000)}`, 'en')).toBe('en')
    expect(performance.now() - before).toBeLessThan(500)
  })
})
