import { expect, test } from '@jest/globals'
import { accountRecord, type HeldAccount } from '@countersign/accounts'
import { createLook } from '@countersign/chassis'
import { speechIn } from '../speech.ts'
import { Correspondence } from './correspondence.ts'
import type { Letter } from './letters.ts'

const speech = speechIn('en')

function correspondence() {
  const letters: Letter[] = []
  const post = {
    send: async (letter: Letter) => letters.push(letter) > 0,
    stats: () => ({ sent: 0, failed: 0, retried: 0, waiting: 0 }),
    close: async () => {},
  }
  const look = createLook({ name: 'Example' })
  const written = new Correspondence({ post, look, issuer: 'https://login.example', now: () => 0 })
  return { letters, written, afterAnswers: () => new Promise((resolve) => setImmediate(resolve)) }
}

const account = (loginName: string, claims: object, id = 'a'): HeldAccount => ({
  partition: 0,
  version: '',
  record: accountRecord({ id, loginName, claims: JSON.stringify(claims) }),
})

test.each([
  ['an account of ours', 'alice', { email: 'a@example.org', email_verified: false }, 1],
  ['somebody whose provider verified it', '', { email: 'a@example.org', email_verified: true }, 1],
  ['somebody whose provider did not', '', { email: 'a@example.org', email_verified: false }, 0],
  ['somebody whose provider does not say', '', { email: 'a@example.org' }, 0],
  ['somebody without an address', 'alice', {}, 0],
])('letters go to an address that is known to be theirs: %s', async (_name, loginName, claims, count) => {
  const { letters, written, afterAnswers } = correspondence()
  written.passwordChanged(account(loginName, claims), speech)
  expect(letters).toEqual([])
  await afterAnswers()
  expect(letters).toHaveLength(count)
})

test('twenty letters about an account in an hour are enough', async () => {
  const { letters, written, afterAnswers } = correspondence()
  const alice = account('alice', { email: 'a@example.org' })
  for (let n = 0; n < 30; n++) written.secondFactorChanged(alice, 'passkey_added', speech)
  written.passwordChanged(account('bob', { email: 'b@example.org' }, 'b'), speech)
  await afterAnswers()
  expect(letters.map(({ to }) => to)).toEqual([...Array.from({ length: 20 }, () => 'a@example.org'), 'b@example.org'])
})
