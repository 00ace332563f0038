import { readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import type { HttpAnswer } from '@countersign/chassis'
import { findProgram, temporaryFolder } from '@countersign/servers'
import puppeteer, { type Browser, type Page } from 'puppeteer-core'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

export interface Finding {
  id: string
  impact: string
  where: string[]
}

/** What axe finds that is serious. Evaluated in the page. */
const audit = `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations
  .filter(({ impact }) => impact === 'serious' || impact === 'critical')
  .map(({ id, impact, nodes }) => ({ id, impact, where: nodes.map(({ html, failureSummary }) => html + failureSummary) })))`

/** Serves pages as they are, headers included, and shows them in a real browser. */
export class Gallery {
  readonly #server: Server
  readonly #chromium: Browser
  readonly #profile: string
  readonly page: Page
  /** What the browser complained of, such as its policy being broken. */
  readonly complaints: string[] = []
  /** The forms that were sent. */
  readonly sent: readonly URLSearchParams[]

  private constructor(server: Server, sent: URLSearchParams[], chromium: Browser, profile: string, page: Page) {
    this.#server = server
    this.sent = sent
    this.#chromium = chromium
    this.#profile = profile
    this.page = page
    page.on('console', (message) => void (message.type() === 'error' && this.complaints.push(message.text())))
    page.on('pageerror', (error) => void this.complaints.push(String(error)))
  }

  /** @param pages by their path, without the slash */
  static async open(pages: ReadonlyMap<string, HttpAnswer>): Promise<Gallery> {
    const profile = temporaryFolder('gallery')
    const sent: URLSearchParams[] = []
    const server = createServer(async (request, response) => {
      const found = pages.get(decodeURIComponent(request.url!.slice(1)))
      if (request.method === 'POST') {
        let body = ''
        for await (const chunk of request) body += chunk
        sent.push(new URLSearchParams(body))
        return void response.end('sent')
      }
      if (!found) return void response.writeHead(204).end()
      // A status of failure would be told on the console as if it were a complaint.
      response.writeHead(200, found.headers).end(found.body)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const chromium = await puppeteer.launch({
      executablePath: findProgram('chromium', 'chromium'),
      userDataDir: profile,
      args: [...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), '--disable-background-networking'],
    })
    return new Gallery(server, sent, chromium, profile, await chromium.newPage())
  }

  async show(path: string): Promise<void> {
    const { port } = this.#server.address() as AddressInfo
    await this.page.goto(`http://localhost:${port}/${path}`)
  }

  async findings(): Promise<Finding[]> {
    await this.page.evaluate(axe)
    return (await this.page.evaluate(audit)) as Finding[]
  }

  /** Pixels by which the page is wider than the window. */
  async overflow(): Promise<number> {
    const measure = 'document.documentElement.scrollWidth - document.documentElement.clientWidth'
    return (await this.page.evaluate(measure)) as number
  }

  async close(): Promise<void> {
    await this.#chromium.close()
    await new Promise((resolve) => this.#server.close(resolve))
    rmSync(this.#profile, { recursive: true, force: true })
  }
}
