import { expect, test } from '@jest/globals'
import { openJournal } from './open.ts'

test('a URL of neither kind is refused, and not repeated', async () => {
  for (const url of ['', 'sqlite:', 'mysql://u:hunter2@h/d', './audit.db']) {
    const refused = expect(openJournal({ url })).rejects
    await refused.toMatchObject({ code: 'invalid_request', message: 'audit.url must be sqlite:<path> or postgres://…' })
  }
})

test('PostgreSQL beyond loopback needs a verified TLS, or to be told that it does not', async () => {
  const base = 'postgres://u:hunter2@db.example/audit'
  const refused = [
    '',
    '?sslmode=disable',
    '?sslmode=prefer',
    '?sslmode=no-verify',
    '?sslmode=require&uselibpqcompat=true',
  ]
  for (const query of refused) {
    const thrown = await openJournal({ url: base + query }).catch((failure: unknown) => failure)
    expect(thrown).toMatchObject({ code: 'invalid_request', message: expect.stringContaining('sslmode=verify-full') })
    expect(String(thrown)).not.toContain('hunter2')
  }
  const socket = 'postgres://u@localhost/audit?host=/run/postgresql'
  const accepted = [`${base}?sslmode=verify-full`, 'postgres://u@127.0.0.1/a', 'postgresql://u@[::1]/a', socket]
  for (const url of accepted) await (await openJournal({ url })).close()
  await (await openJournal({ url: base, allowPlaintext: true })).close()
  const elsewhere = 'postgres://u@localhost/audit?host=db.example'
  await expect(openJournal({ url: elsewhere })).rejects.toMatchObject({ code: 'invalid_request' })
})

test('a URL that cannot be read is refused without being repeated', async () => {
  const thrown = await openJournal({ url: 'postgres://u:hunter2@[' }).catch((failure: unknown) => failure)
  expect(thrown).toMatchObject({ code: 'invalid_request' })
  expect(String(thrown)).not.toContain('hunter2')
})
