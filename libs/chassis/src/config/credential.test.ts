import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import { ConfigFolder } from './config-folder.ts'
import { readSecretFile } from './credential.ts'
import { limits } from './limits.ts'

const folder = new ConfigFolder()
afterAll(() => folder.remove())

const client = (secret: string) => `version: 1\nclients: [{ id: a, secret: ${secret} }]`
const secretOf = (secret: string, env = {}) => folder.load(client(secret), env).config.clients[0]!.secret?.reveal()

describe('a secret', () => {
  test('is text, a hash, a variable or a file, without the newline at its end', () => {
    folder.write('secrets/a', 'from a file\n')
    folder.write('secrets/b', ' from windows \r\n')
    expect(secretOf('plain text')).toBe('plain text')
    expect(secretOf('scrypt$14$8$5$abc$def')).toBe('scrypt$14$8$5$abc$def')
    expect(secretOf('{ env: A }', { A: 'from env\n' })).toBe('from env')
    expect(secretOf('{ file: secrets/a }')).toBe('from a file')
    expect(secretOf(`{ file: "${join(folder.path, 'secrets/b')}" }`)).toBe(' from windows ')
  })

  test.each([
    ['{ env: NOPE }', 'the environment variable NOPE is not set'],
    ['{ env: EMPTY }', 'the environment variable EMPTY is empty'],
    ['{ env: BLANK }', 'the environment variable BLANK is empty'],
    ['{ file: nope }', 'the file <folder>/nope does not exist'],
    ['{ file: empty }', 'the file <folder>/empty is empty'],
    ['{ file: binary }', 'the file <folder>/binary is not UTF-8 text'],
    ['{ file: long }', `the file <folder>/long is longer than ${limits.secretFileBytes} bytes`],
    ['{ file: . }', 'the file <folder> is a folder'],
    ['{ env: A, file: b }', 'expected text in quotes, { env: NAME } or { file: path }, got a map'],
    ['"  "', 'is empty'],
    ['""', 'expected text in quotes, { env: NAME } or { file: path }, got empty text'],
    ['12345', 'expected text in quotes, { env: NAME } or { file: path }, got a number'],
    ['true', 'expected text in quotes, { env: NAME } or { file: path }, got a boolean'],
    ['', 'expected text in quotes, { env: NAME } or { file: path }, got nothing'],
    ['x'.repeat(513), 'is too long: at most 512 characters are taken'],
  ])('%s is told with its place', (secret, message) => {
    folder.write('empty', '\n')
    folder.write('binary', Uint8Array.of(0xff, 0xfe))
    folder.write('long', 'x'.repeat(limits.secretFileBytes + 1))
    const lines = folder.problems(client(secret), { EMPTY: '', BLANK: ' \n' })
    expect(lines).toHaveLength(1)
    const [place, told] = lines[0]!.replaceAll(folder.path, '<folder>').split('].secret: ')
    expect(place).toMatch(/^countersign\.yaml:2:\d+: clients\[0$/)
    expect(told).toBe(message)
  })

  test('names a variable', () => {
    expect(folder.problems(client('{ env: "" }'))).toEqual([
      'countersign.yaml:2:35: clients[0].secret.env: expected the name of a variable, got empty text',
    ])
  })

  test('has a place even where every other thing is wrong as well', () => {
    const lines = folder.problems('issuer: 1\nclients:\n  - id: a\n    secret: { env: NOPE }')
    expect(lines).toContain('countersign.yaml:4:13: clients[0].secret: the environment variable NOPE is not set')
  })
})

describe('the master key', () => {
  test('in a file stays in its file, which need not be there yet', () => {
    folder.write('there.key', 'k'.repeat(40))
    for (const name of ['there.key', 'not-yet.key']) {
      const { config } = folder.load(`version: 1\nmaster_key: { file: ${name} }`)
      expect(config.masterKey).toEqual({ file: join(folder.path, name) })
    }
  })

  test.each([
    ['{ file: empty.key }', '', 'the file <folder>/empty.key is empty'],
    ['{ file: short.key }', 'short', 'is too short to be safe: at least 32 characters are needed'],
    ['short', '', 'is too short to be safe: at least 32 characters are needed'],
  ])('%s is refused', (given, content, message) => {
    if (given.startsWith('{')) folder.write(given.slice(8, -2), content)
    const lines = folder.problems(`version: 1\nmaster_key: ${given}`)
    expect(lines.map((line) => line.replace(folder.path, '<folder>'))).toEqual([
      `countersign.yaml:2:13: master_key: ${message}`,
    ])
  })

  test('is read by the app as every secret is', () => {
    const file = folder.write('k.key', 'text\n')
    expect(readSecretFile(file)?.reveal()).toBe('text')
    expect(readSecretFile(join(folder.path, 'nope.key'))).toBeUndefined()
    expect(() => readSecretFile(folder.path)).toThrow(`the file ${folder.path} is a folder`)
  })
})

describe('a file for TLS', () => {
  test('must be there', () => {
    folder.write('cert.pem', 'PEM')
    const lines = folder.problems('version: 1\ngrpc: { cert: cert.pem, key: key.pem }')
    expect(lines).toEqual([`countersign.yaml:2:30: grpc.key: the file ${folder.path}/key.pem does not exist`])
  })

  test('is no folder', () => {
    const lines = folder.problems('version: 1\nhttp: { cert: ., key: . }')
    expect(lines).toEqual([
      `countersign.yaml:2:15: http.cert: the file ${folder.path} is a folder`,
      `countersign.yaml:2:23: http.key: the file ${folder.path} is a folder`,
    ])
  })

  test('must be readable', () => {
    chmodSync(folder.write('secret.pem', 'PEM'), 0)
    folder.write('cert.pem', 'PEM')
    const lines = folder.problems('version: 1\ngrpc: { cert: cert.pem, key: secret.pem }')
    const mayReadAll = process.getuid?.() === 0
    expect(lines).toEqual(
      mayReadAll
        ? []
        : [`countersign.yaml:2:30: grpc.key: the file ${folder.path}/secret.pem may not be read by this user`],
    )
  })
})
