import { Failure } from '@countersign/contracts'
import { limits } from '../limits.ts'

export interface ServerSentEvent {
  /** As it stood when the event was complete; empty when the server has never given one. */
  id: string
  /** Empty: nothing but an id to go on from. */
  data: string
}

/**
 * Reads `text/event-stream` (HTML, section 9.2.6). What is not complete when the stream breaks is not given, nor its id:
 * whoever goes on from the last id gets it again, whole.
 * @throws Failure `too_large` for an event beyond all bounds
 */
export class EventReader {
  #rest = ''
  #id = ''
  #data: string[] = []
  #hasFields = false

  /** Takes what has arrived, and gives the events that it completes. */
  read(text: string): ServerSentEvent[] {
    this.#rest += text
    // A lone CR at the end may be the first half of CRLF.
    const lines = this.#rest.split(/\r\n|\n|\r(?!$)/)
    this.#rest = lines.pop()!
    const events: ServerSentEvent[] = []
    for (const line of lines) {
      if (line !== '') this.#field(line)
      else if (this.#hasFields) events.push(this.#event())
    }
    if (this.#rest.length + this.#data.join().length > limits.eventCharacters) {
      throw new Failure('too_large', 'the server sends an event that is longer than any can be')
    }
    return events
  }

  #field(line: string): void {
    const [, name, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line)!
    if (name === 'data') this.#data.push(value)
    else if (name === 'id' && !value.includes('\0')) this.#id = value
    this.#hasFields ||= name !== ''
  }

  #event(): ServerSentEvent {
    const event = { id: this.#id, data: this.#data.join('\n') }
    this.#data = []
    this.#hasFields = false
    return event
  }
}
