import { expect, test } from '@jest/globals'
import { speechIn } from '../speech.ts'
import { resetLetter } from './letters.ts'
import { createPrintingPost } from './printing-post.ts'

test('in development a letter’s link is shown, and that it is for development only', async () => {
  let shown = ''
  const post = createPrintingPost((text) => void (shown += text))
  const link = 'http://localhost:8080/login/reset?token=abc'
  const addressee = { to: 'ada@example.org', speech: speechIn('en'), product: 'P', account: 'ada' }
  const letter = resetLetter(addressee, { link, goodForMs: 60_000 })
  expect(await post.send({ ...letter, subject: '\u001b[2Jhidden\r\nnew' })).toBe(true)
  expect(shown.split('\n')).toContain(link)
  expect(shown).toMatch(/DEVELOPMENT ONLY/)
  expect(shown).not.toMatch(/\u001b|\r/)
  expect(post.stats()).toEqual({ sent: 1, failed: 0, retried: 0, waiting: 0 })
})
