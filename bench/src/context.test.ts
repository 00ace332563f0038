import { describe, expect, test } from '@jest/globals'
import { existsSync } from 'node:fs'
import { readArguments } from './arguments.ts'
import { inContext, writeTokens } from './context.ts'

const args = readArguments([], ['issue'])
const surroundings = () => ({ progress: () => undefined, signal: new AbortController().signal })

describe('the context of a suite', () => {
  test('stops what was started, last first, and removes its files', async () => {
    const stopped: string[] = []
    const thing = (name: string) => Promise.resolve({ stop: async () => void stopped.push(name) })
    const file = await inContext(args, surroundings(), async (context) => {
      await context.start(thing('redis'))
      await context.start(thing('server'))
      return writeTokens(context, 'tokens', ['a', 'b'])
    })
    expect(stopped).toEqual(['server', 'redis'])
    expect(existsSync(file)).toBe(false)
  })

  test('stops what was being started when it was told to stop, and starts nothing more', async () => {
    const stopped: string[] = []
    const controller = new AbortController()
    const running = inContext(args, { ...surroundings(), signal: controller.signal }, async (context) => {
      const starting = context.start(Promise.resolve({ stop: async () => void stopped.push('redis') }))
      controller.abort(new Error('stopped'))
      await starting
      return 'not reached'
    })
    await expect(running).rejects.toThrow('stopped')
    expect(stopped).toEqual(['redis'])
  })

  test('stops everything when the suite fails', async () => {
    const stopped: string[] = []
    const running = inContext(args, surroundings(), async (context) => {
      await context.start(Promise.resolve({ stop: async () => void stopped.push('redis') }))
      throw new Error('a wrong answer')
    })
    await expect(running).rejects.toThrow('a wrong answer')
    expect(stopped).toEqual(['redis'])
  })
})
