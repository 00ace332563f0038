import { connect, type Socket } from 'node:net'

/** As much of an answer as the generators look at. */
export interface Reply {
  status: number
  /** Of a redirect; empty elsewhere. */
  location: string
  /** Each as name and value alone. */
  cookies: string[]
  body: string
}

interface Waiting {
  resolve(reply: Reply): void
  reject(error: Error): void
}

const endOfHead = '\r\n\r\n'
const lastChunk = '0\r\n\r\n'

const fieldOf = (head: string, name: RegExp): string => name.exec(head)?.[1] ?? ''
const location = /^location: *(.*)$/im
const setCookie = /^set-cookie: *([^;\n]*)/gim
const contentLength = /^content-length: *(\d+)$/im
const chunked = /^transfer-encoding: *chunked$/im

/** The chunks of a body, without what is between them. @throws Error when they are none */
export function joinChunks(text: string): string {
  let body = ''
  for (let at = 0; ;) {
    const end = text.indexOf('\r\n', at)
    const size = end < 0 ? NaN : parseInt(text.slice(at, end), 16)
    if (Number.isNaN(size)) throw new Error('a chunked body is broken')
    if (size === 0) return body
    body += text.slice(end + 2, end + 2 + size)
    at = end + 2 + size + 2
  }
}

/** The one answer in a text; undefined while there is more to come. Texts are ASCII, a character for each byte. */
export function parseReply(text: string): Reply | undefined {
  const end = text.indexOf(endOfHead)
  if (end < 0) return undefined
  const head = text.slice(0, end).replaceAll('\r', '')
  const rest = text.slice(end + endOfHead.length)
  const cookies = Array.from(head.matchAll(setCookie), ([, cookie]) => cookie!)
  const reply = { status: Number(head.slice(9, 12)), location: fieldOf(head, location), cookies }
  if (chunked.test(head)) return rest.endsWith(lastChunk) ? { ...reply, body: joinChunks(rest) } : undefined
  const length = Number(fieldOf(head, contentLength) || NaN)
  if (Number.isNaN(length)) throw new Error(`an answer does not say how long it is:\n${head}`)
  return rest.length < length ? undefined : { ...reply, body: rest }
}

/** One kept HTTP/1.1 connection with one question at a time: Node's own client takes as long as a server does. */
export class Connection {
  readonly #socket: Socket
  #received = ''
  #waiting: Waiting | undefined

  constructor(origin: string) {
    const { hostname, port } = new URL(origin)
    this.#socket = connect(Number(port), hostname).setNoDelay().setEncoding('latin1')
    this.#socket.on('data', (text) => this.#read(text.toString()))
    this.#socket.on('error', (error) => this.#fail(error))
    this.#socket.on('close', () => this.#fail(new Error(`${origin} closed the connection`)))
  }

  /** @throws Error when the connection breaks, or the answer is no HTTP/1.1 */
  ask(question: string): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) return reject(new Error('the connection is closed'))
      this.#waiting = { resolve, reject }
      this.#socket.write(question, 'latin1')
    })
  }

  close(): void {
    this.#socket.destroy()
  }

  #read(text: string): void {
    this.#received += text
    try {
      const reply = parseReply(this.#received)
      if (!reply) return
      this.#received = ''
      const waiting = this.#waiting
      this.#waiting = undefined
      waiting?.resolve(reply)
    } catch (error) {
      this.#socket.destroy(error as Error)
    }
  }

  #fail(error: Error): void {
    this.#waiting?.reject(error)
    this.#waiting = undefined
  }
}
