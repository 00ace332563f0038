import { describe, expect, test } from '@jest/globals'
import { EventReader } from './server-sent-events.ts'

const read = (...chunks: string[]) => {
  const reader = new EventReader()
  return chunks.flatMap((chunk) => reader.read(chunk))
}

const stream =
  'retry: 1000\nid: 4\n\n:\n\nid: 5\nevent: token.issued\ndata: {"index":5}\n\ndata: a\ndata:b\n\nid: 7\ndata: cut'
const events = [
  { id: '4', data: '' },
  { id: '5', data: '{"index":5}' },
  { id: '5', data: 'a\nb' },
]

describe('a stream of events', () => {
  test.each(['\n', '\r\n', '\r'])('is read the same however it is cut, with lines ended by %j', (end) => {
    const text = stream.replaceAll('\n', end)
    for (let at = 0; at <= text.length; at++) expect(read(text.slice(0, at), text.slice(at))).toEqual(events)
    expect(read(...text)).toEqual(events)
  })

  test('gives neither the data nor the id of what is not complete', () => {
    expect(read('id: 1\ndata: x\n\nid: 2\ndata: y\n')).toEqual([{ id: '1', data: 'x' }])
  })

  test('passes over comments, fields that it does not know, and ids with NUL', () => {
    expect(read(': hello\n\nfoo: bar\nid: 1\u0000\ndata\n\n')).toEqual([{ id: '', data: '' }])
  })

  test.each([
    ['a line', 'data: ' + 'x'.repeat(1_048_577)],
    ['many lines', `data: ${'x'.repeat(1_000)}\n`.repeat(1_100)],
  ])('is refused when an event never ends: %s', (_name, text) => {
    expect(() => read(text)).toThrow('longer than any can be')
  })
})
