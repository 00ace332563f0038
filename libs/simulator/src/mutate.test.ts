import { describe, expect, test } from '@jest/globals'
import { edited } from './mutate.ts'

const edit = { file: 'a.ts', text: 'one', replacement: 'two' }

describe('a mutant', () => {
  test('is the source with its text replaced', () => {
    expect(edited('const one = 1', [edit])).toBe('const two = 1')
  })

  test('is none when the source does not have the text exactly once', () => {
    expect(() => edited('const none = 1', [{ ...edit, text: 'zero' }])).toThrow('a.ts has 0 times, not once: zero')
    expect(() => edited('one one', [edit])).toThrow('a.ts has 2 times')
  })
})
