import { describe, expect, test } from '@jest/globals'
import { Failure } from '@countersign/contracts'
import { Secret } from './config/secret.ts'
import { createLogger, scrub, type LogLevel } from './log.ts'

type Line = Record<string, unknown>

function logged(
  log: (logger: ReturnType<typeof createLogger>) => void,
  level: LogLevel = 'info',
): { text: string; lines: Line[] } {
  let text = ''
  log(createLogger({ name: 'token-issuer', level, destination: { write: (line) => (text += line) } }))
  return {
    text,
    lines: text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Line),
  }
}

describe('a line', () => {
  test('says when, how important, who and what', () => {
    const { lines } = logged((logger) => logger.warn({ client: 'batch' }, 'slow'))
    expect(lines).toEqual([
      {
        level: 'warn',
        time: expect.stringMatching(/^\d{4}-.*T.*Z$/),
        name: 'token-issuer',
        client: 'batch',
        msg: 'slow',
      },
    ])
  })

  test('is written from its level on, which may change for children as well', () => {
    const { lines } = logged((logger) => {
      const child = logger.child({ part: 'relay' })
      child.debug('no')
      logger.level = 'debug'
      child.debug('yes')
    })
    expect(lines.map(({ msg }) => msg)).toEqual(['yes'])
  })
})

const token = `cs_at_0${'aB3'.repeat(16)}`

describe('a credential never reaches a line', () => {
  test.each<[string, (logger: ReturnType<typeof createLogger>) => void]>([
    ['in a message', (logger) => logger.info(`got ${token}`)],
    ['put into a message', (logger) => logger.info('got %s and %o', token, { token })],
    ['in an object', (logger) => logger.info({ anything: [`x ${token} y`] }, 'x')],
    ['in a key', (logger) => logger.info({ nested: { a: { [`x`]: token } } })],
    ['in the bindings of a child', (logger) => logger.child({ seen: token }).info('x')],
    ['in the prefix of a child', (logger) => logger.child({}, { msgPrefix: token }).info('x')],
    ['in an error', (logger) => logger.error(new Error(`no ${token}`))],
    [
      'in the cause of an error',
      (logger) => logger.error({ err: new Failure('internal', 'x', { cause: new Error(token) }) }),
    ],
    ['in an error under another key', (logger) => logger.error({ reason: new Error(token) }, 'x')],
    ['in one of several errors', (logger) => logger.error(new AggregateError([new Error(token)], 'x'))],
  ])('%s', (_, log) => {
    const { text, lines } = logged(log)
    expect(lines).toHaveLength(1)
    expect(text).toContain('cs_at_[redacted]')
    expect(text).not.toContain(token.slice(6))
  })

  test.each(['at', 'rt', 'ac', 'dc', 'pat', 'reg'])('a token of kind %s', (kind) => {
    expect(scrub(`(cs_${kind}_0Ab9)`)).toBe(`(cs_${kind}_[redacted])`)
  })

  test.each([
    ['Basic dXNlcjpwYXNz and more', 'Basic [redacted] and more'],
    ['authorization: Bearer abcdef.ghi-_~+/==', 'authorization: Bearer [redacted]'],
    ['bearer abcdef', 'bearer [redacted]'],
    ['basic dXNlcjpwYXNz', 'basic [redacted]'],
    ['DPoP eyJhbGciOiJFUzI1NiJ9.e30.x', 'DPoP [redacted]'],
    ['redis://user:hunter2@redis.example:6379/0', 'redis://***@redis.example:6379/0'],
    ['redis://:hun/ter@2?#@h', 'redis://***@h'],
    ['rediss://:p@h, nats://t0ken@h and postgres://u:p@h/db', 'rediss://***@h, nats://***@h and postgres://***@h/db'],
    ['https://u:p@h.example/a@b', 'https://***@h.example/a@b'],
    ['eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln', 'eyJ[redacted]'],
    [
      '/login/callback/google?state=1&code=4/0AY0e-g7&scope=x',
      '/login/callback/google?state=1&code=[redacted]&scope=x',
    ],
    [
      'grant_type=refresh_token&refresh_token=abc&client_secret=def',
      'grant_type=refresh_token&refresh_token=[redacted]&client_secret=[redacted]',
    ],
  ])('%s', (text, clean) => {
    expect(scrub(text)).toBe(clean)
    expect(logged((logger) => logger.info(text)).lines[0]!.msg).toBe(clean)
  })

  test.each([
    'Basic authentication is off',
    'a Bearer token is needed',
    'basic checks passed in https://auth.example/x?y=1',
    'connect ECONNREFUSED 127.0.0.1:6379',
    'ops@example.org',
  ])('%s stays as it is', (text) => {
    expect(scrub(text)).toBe(text)
  })

  test('under a key that says so, whatever its case and depth', () => {
    const { lines, text } = logged((logger) =>
      logger.child({ password: 'hunter2' }).info({
        req: {
          headers: {
            authorization: 'x hunter2',
            Cookie: 'a=hunter2',
            'set-cookie': ['hunter2'],
            'x-api-key': 'hunter2',
            host: 'h',
          },
          rawHeaders: ['Cookie', 'hunter2'],
          body: {
            client_secret: 'hunter2',
            code: 'hunter2',
            code_verifier: 'hunter2',
            refresh_token: 'hunter2',
            access_token: 'hunter2',
            assertion: 'hunter2',
            client_assertion: 'hunter2',
            grant_type: 'x',
          },
        },
        a: { b: { c: { d: { secret: { value: 'hunter2' } } } } },
        config: { masterKey: 'hunter2', previousSecret: new Secret('hunter2'), bus: { credentials: 'hunter2' } },
        token: ['hunter2'],
        pin: { password: 12_345 },
      }),
    )
    expect(text).not.toContain('hunter2')
    expect(text).not.toContain('12345')
    expect(lines[0]).toMatchObject({
      password: '[redacted]',
      req: {
        headers: { authorization: '[redacted]', 'set-cookie': '[redacted]', host: 'h' },
        body: { code: '[redacted]', grant_type: 'x' },
      },
      token: '[redacted]',
    })
  })

  test('with a quote or backslash in it, and the line stays JSON', () => {
    const { lines } = logged((logger) => logger.info({ url: 'redis://u:p"\\@h', secret: '"\\' }, 'a "Bearer x"\\'))
    expect(lines[0]).toMatchObject({ secret: '[redacted]', msg: 'a "Bearer [redacted]"\\' })
  })

  test('in a long text, whose rest is left out', () => {
    const { text } = logged((logger) => logger.info({ body: `Bearer abc ${'x'.repeat(100_000)}` }))
    expect(text.length).toBeLessThan(20_000)
    expect(text).toMatch(/Bearer \[redacted\] x+… \(\d+ more\)/)
  })
})

describe('what one looks for in a log stays', () => {
  test('the code of a failure, and those of its causes', () => {
    const cause = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:6379'), {
      code: 'ECONNREFUSED',
      syscall: 'connect',
      port: 6379,
    })
    const failure = new Failure('unavailable', 'the store does not answer', { cause, retryAfterSeconds: 2 })
    const { lines } = logged((logger) => logger.error(failure))
    expect(lines[0]).toMatchObject({
      msg: 'the store does not answer',
      err: {
        type: 'Failure',
        code: 'unavailable',
        retryAfterSeconds: 2,
        stack: expect.stringContaining('log.test.ts'),
        cause: { type: 'Error', code: 'ECONNREFUSED', syscall: 'connect', port: 6379 },
      },
    })
  })

  test('a code that is a failure’s or a number, and words about tokens', () => {
    const entry = {
      code: 'invalid_client',
      grpc: { code: 14 },
      tokenFingerprint: 'abc',
      token_type: 'Bearer',
      tokens: 3,
      secret: false,
    }
    expect(logged((logger) => logger.info(entry, 'x')).lines[0]).toMatchObject(entry)
  })
})

test('what libraries hang on their errors is left out, and a cycle of causes ends', () => {
  const error = Object.assign(new Error('WRONGPASS'), {
    command: { name: 'auth', args: ['hunter2'] },
    config: { url: 'hunter2' },
  })
  error.cause = new Error('again', { cause: error })
  const { text } = logged((logger) => logger.error({ err: error, a: { results: [{ reason: error }] } }))
  expect(text).not.toContain('hunter2')
  expect(text.match(/again/g)!.length).toBeLessThan(20)
})

test('a text made to be slow to scrub is not', () => {
  const begun = process.hrtime.bigint()
  for (const part of ['eyJ-', 'eyJ', 'basic ', 'x://', 'redis://', 'token', 'cs_at_', 'a.', 'Bearer  ', '='])
    scrub(part.repeat(100_000))
  expect(Number(process.hrtime.bigint() - begun) / 1e9).toBeLessThan(20)
})
