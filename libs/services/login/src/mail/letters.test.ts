import { describe, expect, test } from '@jest/globals'
import { languages, speechIn } from '../speech.ts'
import {
  identityRemovedLetter,
  invitationLetter,
  newIdentityLetter,
  passwordChangedLetter,
  resetLetter,
  secondFactorChangedLetter,
  secondFactorChanges,
  type Addressee,
  type Letter,
} from './letters.ts'
import { limits } from './limits.ts'

const addressee: Addressee = {
  to: 'ada@example.org',
  speech: speechIn('en'),
  product: 'Difference & Engine',
  account: 'ada',
  support: 'mailto:help@example.org',
}
const link = 'https://login.example.org/login/reset?token=abc&x=1'
const secret = { link, goodForMs: 1_800_000 }
const change = { at: Date.UTC(2026, 2, 12, 14, 3), link: 'https://login.example.org/account' }

const allTo = (to: Addressee): Letter[] => [
  resetLetter(to, secret),
  invitationLetter(to, secret),
  passwordChangedLetter(to, change),
  ...secondFactorChanges.map((what) => secondFactorChangedLetter(to, what, change)),
  newIdentityLetter(to, 'GitHub', change),
  identityRemovedLetter(to, 'GitHub', change),
]

describe('a letter', () => {
  test('with a link to choose a password says for how long it is good, and what to do if one did not ask', () => {
    const { to, subject, text, html } = resetLetter(addressee, secret)
    expect([to, subject]).toEqual(['ada@example.org', 'Difference & Engine: choose a new password'])
    const lines = text.split('\n').filter((line) => line !== '')
    expect(lines).toEqual([
      expect.stringContaining('the account ada'),
      link,
      expect.stringContaining('within 30 minutes'),
      expect.stringContaining('If it was not you'),
      'Questions? Turn to help@example.org',
      'Difference & Engine',
    ])
    expect(html).toContain(`<a href="${link.replace('&', '&amp;')}">${link.replace('&', '&amp;')}</a>`)
    expect(html).toContain('Difference &amp; Engine')
  })

  test.each(languages)('in %s has every word, and its links stand alone', (language) => {
    const letters = allTo({ ...addressee, speech: speechIn(language) })
    expect(new Set(letters.map(({ subject }) => subject)).size).toBe(letters.length)
    for (const { subject, text, html } of letters) {
      expect(subject).toMatch(/^Difference & Engine ?: ./)
      expect(text).not.toMatch(/[{}]|undefined/)
      const [linked, ...more] = text.split('\n').filter((line) => line.includes('://'))
      expect([[link, change.link].includes(linked!), more]).toEqual([true, []])
      expect(html).toContain(`<html lang="${language}">`)
      expect(text).toContain('ada')
    }
    expect(letters[2]!.text).toContain(speechIn(language).date(change.at))
    expect(letters.at(-1)!.text).toContain('GitHub')
  })

  test('in one language is in no other', () => {
    const texts = languages.flatMap((language) => allTo({ ...addressee, speech: speechIn(language) }))
    expect(new Set(texts.map(({ text }) => text)).size).toBe(texts.length)
  })

  test('holds names on one line and as long as they should be, and never as markup', () => {
    const account = `a\r\nBcc: eve@example.org\u2028<script>${'x'.repeat(500)}`
    for (const { subject, text, html } of allTo({ ...addressee, account, product: 'P\r\nX-Evil: 1<b>' })) {
      expect(subject).toMatch(/^P X-Evil: 1<b>/)
      expect(subject).not.toMatch(/[\r\n]/)
      expect(text).not.toMatch(/\r|\u2028|^(Bcc|X-Evil)/m)
      expect(text).not.toContain('x'.repeat(limits.nameCharacters))
      expect(html).not.toMatch(/<script|<b>/)
    }
  })

  test.each(['javascript:alert(1)', 'data:text/html,x', '/login/reset', ''])('does not link to %j', (wrong) => {
    expect(() => resetLetter(addressee, { ...secret, link: wrong })).toThrow()
  })
})
