import { afterEach, describe, expect, test } from '@jest/globals'
import { createServer, type AddressInfo } from 'node:net'
import { freePort, until } from '@countersign/servers'
import type { SMTPServerOptions } from 'smtp-server'
import { makeCertificate } from '../testing/certificate.ts'
import { limits } from './limits.ts'
import { createPost, type Post, type PostOptions } from './post.ts'
import { refusal, startMailServer, type MailServer } from './testing/mail-server.ts'

const { cert, key } = makeCertificate()
const letter = {
  to: 'ada@example.org',
  subject: 'Grüße',
  text: 'https://x.example/reset?token=abc\n',
  html: '<p>Hi</p>',
}
const password = { reveal: () => 'very-secret-password' }

let lines: Record<string, unknown>[] = []
const ended: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end()
  lines = []
})

async function mailServer(options?: SMTPServerOptions): Promise<MailServer> {
  const server = await startMailServer(options)
  ended.push(server.stop)
  return server
}

function postTo(url: string, more: Partial<PostOptions> = {}): Post {
  const keep = (fields: object, message: string) => void lines.push({ ...fields, message })
  const log = { warn: keep, error: keep }
  const from = 'Countersign <no-reply@login.example>'
  const post = createPost({ url, from, timeoutMs: 1_000, log, pausesMs: [5, 10], drainMs: 1_000, ...more })
  ended.push(post.close)
  return post
}
const at = ({ port }: { port: number }, scheme = 'smtp') => `${scheme}://127.0.0.1:${port}`

/** What was logged; nothing of the letter, its reader or our password is in it. */
function logged(): string {
  const text = JSON.stringify(lines.map(({ err, ...told }) => ({ ...told, err: String(err) })))
  expect(text).not.toMatch(/ada|token|Grüße|very-secret/)
  return text
}

describe('a letter', () => {
  test('arrives as it was written, from us, for one reader, and as what no machine should answer', async () => {
    const server = await mailServer()
    const post = postTo(at(server))
    expect(await post.send(letter)).toBe(true)
    const [{ from, to, source } = { from: '', to: [], source: '' }] = server.received
    expect([from, to]).toEqual(['no-reply@login.example', ['ada@example.org']])
    expect(source).toMatch(/^From: Countersign <no-reply@login\.example>\r$/m)
    expect(source).toMatch(/^To: ada@example\.org\r$/m)
    expect(source).toMatch(/^Subject: =\?UTF-8\?Q\?Gr=C3=BC=C3=9Fe\?=\r$/m)
    expect(source).toMatch(/^Auto-Submitted: auto-generated\r$/m)
    expect(source).toMatch(/^Message-ID: <[\da-f-]{36}@login\.example>\r$/m)
    expect(source).toMatch(/^Content-Type: multipart\/alternative/m)
    expect(post.stats()).toEqual({ sent: 1, failed: 0, retried: 0, waiting: 0 })
    expect(lines).toEqual([])
  })

  test('goes to no address that would be more than one, and no header comes of what is in it', async () => {
    const server = await mailServer()
    const post = postTo(at(server))
    for (const to of ['a@x.example\r\nBcc: eve@x.example', 'a@x.example, eve@x.example', 'x <a@x.example>', '']) {
      expect(await post.send({ ...letter, to })).toBe(false)
    }
    expect(server.connections.all).toBe(0)
    expect(logged()).not.toMatch(/eve/)
    expect(await post.send({ ...letter, subject: 'Hi\r\nBcc: eve@x.example\r\n\r\nbody' })).toBe(true)
    const [{ to, source } = { to: [], source: '' }] = server.received
    expect(to).toEqual(['ada@example.org'])
    expect(source).not.toMatch(/^(Bcc|body)/m)
    for (const from of ['x', 'a@x, b@x', 'a@x\r\nBcc: eve@x.example'])
      expect(() => postTo(at(server), { from })).toThrow(expect.objectContaining({ code: 'invalid_request' }))
  })
})

describe('a mail server', () => {
  test('is told who we are, over TLS where its authority is named', async () => {
    const onAuth: SMTPServerOptions['onAuth'] = ({ username, password: given }, _, callback) =>
      given === 'very-secret-password' ? callback(null, { user: username }) : callback(refusal(535, 'no'))
    const options = { cert, key, authOptional: false, onAuth }
    for (const [scheme, secure] of [
      ['smtp', false],
      ['smtps', true],
    ] as const) {
      const server = await mailServer({ ...options, secure })
      const post = postTo(at(server, scheme), { ca: cert, username: 'us', password })
      expect(await post.send(letter)).toBe(true)
      expect(server.received).toMatchObject([{ secure: true, user: 'us' }])
      const wrong = postTo(at(server, scheme), { ca: cert, username: 'us', password: { reveal: () => 'wrong' } })
      expect(await wrong.send(letter)).toBe(false)
      expect(wrong.stats()).toMatchObject({ failed: 1, retried: 0 })
      expect(logged()).toMatch(/EAUTH 535/)
    }
  })

  test('that does not offer STARTTLS where it has to is not given anything', async () => {
    const server = await mailServer({ hideSTARTTLS: true, disabledCommands: ['STARTTLS'] })
    const post = postTo(at(server), { ca: cert, username: 'us', password })
    expect(await post.send(letter)).toBe(false)
    expect([server.received, post.stats()]).toMatchObject([[], { failed: 1, retried: 0 }])
    expect(logged()).toMatch(/ETLS/)
  })

  test('has to prove who it is', async () => {
    const server = await mailServer({ cert, key })
    const another = postTo(at(server), { ca: makeCertificate().cert, username: 'us', password })
    expect(await another.send(letter)).toBe(false)
    const nobody = postTo(at({ port: (await mailServer({ cert, key, secure: true })).port }, 'smtps'))
    expect(await nobody.send(letter)).toBe(false)
    expect(server.received).toEqual([])
    expect(logged()).toMatch(/SELF_SIGNED/)
  })

  test('that is busy is asked again, and the letter is the same one', async () => {
    let asked = 0
    const ids = new Set<string>()
    const server = await mailServer({
      onData(stream, _, callback) {
        let source = ''
        stream.on('data', (chunk: Buffer) => void (source += chunk.toString()))
        stream.on('end', () => {
          ids.add(/^Message-ID: (.*)$/m.exec(source)![1]!)
          callback(++asked < 3 ? refusal(451, 'later, ada@example.org') : null)
        })
      },
    })
    const post = postTo(at(server))
    expect(await post.send(letter)).toBe(true)
    expect([asked, ids.size, post.stats()]).toEqual([3, 1, { sent: 1, failed: 0, retried: 2, waiting: 0 }])
    expect(lines).toEqual([])
  })

  test('that stays busy is given up after three tries', async () => {
    const server = await mailServer({
      onRcptTo: (_address, _session, callback) => callback(refusal(450, 'ada? later')),
    })
    const post = postTo(at(server))
    expect(await post.send(letter)).toBe(false)
    expect([server.connections.all, post.stats()]).toMatchObject([3, { sent: 0, failed: 1, retried: 2 }])
    expect(logged()).toMatch(/"tries":3.*EENVELOPE 450/)
  })

  test('that refuses is not asked again', async () => {
    const server = await mailServer({
      onRcptTo: (_address, _session, callback) => callback(refusal(550, 'no ada here')),
    })
    const post = postTo(at(server))
    expect(await post.send(letter)).toBe(false)
    expect([server.connections.all, post.stats()]).toMatchObject([1, { failed: 1, retried: 0 }])
    expect(logged()).toMatch(/EENVELOPE 550/)
  })

  test('that is down is tried again, and then given up', async () => {
    const post = postTo(`smtp://127.0.0.1:${await freePort()}`)
    expect(await post.send(letter)).toBe(false)
    expect(post.stats()).toMatchObject({ failed: 1, retried: 2 })
    expect(logged()).toMatch(/ECONNREFUSED/)
  })

  test.each([
    ['never answers', '', ''],
    ['never comes to an end of its greeting', '', '220-x\r\n'],
    ['never comes to an end of its answer', '220 hello\r\n', '250-x\r\n'],
  ])('that %s costs a bounded time', async (_, first, then) => {
    const open = new Set<{ destroy(): unknown }>()
    const hanging = createServer((socket) => {
      open.add(socket)
      socket.write(first)
      const more = setInterval(() => socket.write(then), 40)
      socket.on('error', () => undefined).resume()
      socket.on('close', () => void (open.delete(socket), clearInterval(more)))
    }).listen(0, '127.0.0.1')
    ended.push(async () => hanging.close())
    await new Promise((resolve) => hanging.once('listening', resolve))
    const post = postTo(at(hanging.address() as AddressInfo), { timeoutMs: 100 })
    const begun = performance.now()
    expect(await post.send(letter)).toBe(false)
    expect(performance.now() - begun).toBeLessThan(3 * limits.stepsPerTry * 100 + 500)
    await until(() => open.size === 0)
    expect(logged()).toMatch(/ETIMEDOUT|EABORT/)
  })
})

describe('letters that wait', () => {
  test('are sent a few at a time', async () => {
    const server = await mailServer()
    const post = postTo(at(server))
    const sent = await Promise.all(Array.from({ length: 24 }, () => post.send(letter)))
    expect(sent).toEqual(Array(24).fill(true))
    expect(server.received).toHaveLength(24)
    // The server hears of an end a little late.
    expect(server.connections.most).toBeLessThan(2 * limits.connections)
  })

  test('are so many at most: who writes more is told so at once', async () => {
    const server = await mailServer({ onData: (stream) => void stream.resume() })
    const post = postTo(at(server), { timeoutMs: 60_000, drainMs: 10 })
    const waiting = Array.from({ length: limits.waitingLetters }, () => post.send(letter))
    expect(await Promise.all([post.send(letter), post.send(letter)])).toEqual([false, false])
    expect(post.stats()).toEqual({ sent: 0, failed: 2, retried: 0, waiting: limits.waitingLetters })
    await post.close()
    expect(await Promise.all(waiting)).toEqual(Array(limits.waitingLetters).fill(false))
  })

  test('are sent before the end, those that pause once more and at once', async () => {
    let asked = 0
    const server = await mailServer({
      onMailFrom: (_address, _session, callback) => callback(++asked === 1 ? refusal(451, 'later') : null),
    })
    const post = postTo(at(server), { pausesMs: [60_000, 60_000] })
    const sending = post.send(letter)
    await until(() => post.stats().retried === 1)
    const others = Array.from({ length: 20 }, () => post.send(letter))
    const closing = post.close()
    expect(await post.send(letter)).toBe(false)
    await closing
    expect([await sending, ...(await Promise.all(others))]).toEqual(Array(21).fill(true))
    expect(server.received).toHaveLength(21)
  })

  test('do not keep the end waiting for ever', async () => {
    const server = await mailServer({ onData: (stream) => void stream.resume() })
    const post = postTo(at(server), { timeoutMs: 60_000, drainMs: 100 })
    const sending = Array.from({ length: 10 }, () => post.send(letter))
    await until(() => server.connections.now > 0)
    const begun = performance.now()
    await post.close()
    expect(performance.now() - begun).toBeLessThan(1_000)
    expect(await Promise.all(sending)).toEqual(Array(10).fill(false))
    expect(post.stats()).toEqual({ sent: 0, failed: 10, retried: 0, waiting: 0 })
    logged()
  })
})
