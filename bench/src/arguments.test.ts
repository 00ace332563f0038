import { describe, expect, test } from '@jest/globals'
import { helpText, readArguments } from './arguments.ts'

const known = ['introspect-grpc', 'introspect-http', 'issue']

describe('the command line', () => {
  test('runs every suite, three rounds of ten seconds, when nothing is said', () => {
    expect(readArguments([], known)).toEqual({
      suites: known,
      seconds: 10,
      rounds: 3,
      tokens: 1_000_000,
      concurrency: undefined,
      json: undefined,
      help: false,
    })
  })

  test('takes suites and options in any order, and runs suites in the order they are listed', () => {
    const args = ['issue', '--seconds', '2', 'introspect-grpc', '--concurrency=8', '--rounds', '1', '--json', 'a.json']
    expect(readArguments(args, known)).toMatchObject({
      suites: ['introspect-grpc', 'issue'],
      seconds: 2,
      concurrency: 8,
      rounds: 1,
      json: 'a.json',
    })
  })

  test('names the suites there are when one is unknown', () => {
    expect(() => readArguments(['issues'], known)).toThrow(
      "no suite 'issues': there are introspect-grpc, introspect-http, issue",
    )
  })

  test.each([
    ['--seconds', '0'],
    ['--seconds', '1.5'],
    ['--rounds', 'three'],
    ['--tokens', '1e6'],
    ['--concurrency', ''],
    ['--json', ''],
  ])('refuses %s %j', (...args) => {
    expect(() => readArguments(args, known)).toThrow(args[0])
  })

  test('refuses options it does not know', () => {
    expect(() => readArguments(['--fast'], known)).toThrow('--fast')
  })

  test('has a help text with every suite', () => {
    expect(readArguments(['--help'], known).help).toBe(true)
    expect(helpText([{ name: 'issue', about: 'tokens by client credentials' }])).toContain(
      '  issue  tokens by client credentials',
    )
  })
})
