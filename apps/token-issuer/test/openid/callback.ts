import { createServer, type IncomingMessage, type Server } from 'node:http'
import { freePort } from '@countersign/servers'

/** What came to the relying party's own server. */
export interface Received {
  method: string
  path: string
  query: URLSearchParams
  /** As `form_post` brings it. */
  form: URLSearchParams
}

async function read(request: IncomingMessage): Promise<Received> {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  const { pathname, searchParams } = new URL(request.url!, 'http://localhost')
  const form = new URLSearchParams(Buffer.concat(chunks).toString())
  return { method: request.method!, path: pathname, query: searchParams, form }
}

const escaped = (text: string): string => text.replace(/[&<>"]/g, (character) => `&#${character.codePointAt(0)};`)

/** The web server of a relying party, on another site than the provider's: what browsers are sent back to. */
export class Callback {
  readonly received: Received[] = []
  readonly #server: Server
  readonly #origin: string
  #page = ''

  private constructor(server: Server, origin: string) {
    this.#server = server
    this.#origin = origin
  }

  static async start(): Promise<Callback> {
    const port = await freePort()
    const server = createServer()
    const callback = new Callback(server, `http://localhost:${port}`)
    server.on('request', (request, response) => {
      void read(request).then((received) => {
        callback.received.push(received)
        response.setHeader('content-type', 'text/html; charset=utf-8')
        response.end(received.path === '/form' ? callback.#page : '<!doctype html><h1>Back at the application</h1>')
      })
    })
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
    return callback
  }

  get redirectUri(): string {
    return `${this.#origin}/callback`
  }

  /** Somewhere a request object could be fetched from. */
  get requestUri(): string {
    return `${this.#origin}/request.jwt`
  }

  /** A page of the application's, whose form posts the parameters to the URL. @returns where it is */
  formPage(action: string, parameters: Readonly<Record<string, string>>): string {
    const inputs = Object.entries(parameters).map(
      ([name, value]) => `<input type="hidden" name="${escaped(name)}" value="${escaped(value)}">`,
    )
    this.#page = `<!doctype html><form method="post" action="${escaped(action)}">${inputs.join('')}<button>Go</button></form>`
    return `${this.#origin}/form`
  }

  /** What a browser brought back for a request. */
  answersTo(state: string): Received[] {
    return this.received.filter(({ query, form }) => query.get('state') === state || form.get('state') === state)
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
