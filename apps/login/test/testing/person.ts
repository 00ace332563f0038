import { performance } from 'node:perf_hooks'
import type { BrowserContext, Cookie, HTTPResponse, Page } from 'puppeteer-core'
import type { Inspection } from './inspection.ts'

export interface PersonOptions {
  issuerUrl: string
  context: BrowserContext
  page: Page
  scripts: boolean
  inspection: Inspection
}

const isForm = (response: HTTPResponse): boolean => response.request().method() === 'POST'

/** The one thing that people know it by: what assistive technology calls it. */
const called = (name: string, role: string): string => `::-p-aria([name=${JSON.stringify(name)}][role="${role}"])`

/** Somebody in front of a browser of their own. They read, type, and press what is there. */
export class Person {
  readonly #options: PersonOptions
  /** What the browser complained of. */
  readonly complaints: string[] = []
  /** Of the page that is shown. */
  status = 0
  /** When the last form was answered; milliseconds of the monotonic clock. */
  answeredMs = 0

  constructor(options: PersonOptions) {
    this.#options = options
    const { page } = options
    page.on('pageerror', (error) => void this.complaints.push(String(error)))
    page.on('console', (message) => {
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
        this.complaints.push(message.text())
    })
    page.on('response', (response) => {
      if (!response.request().isNavigationRequest()) return
      this.status = response.status()
      if (isForm(response)) this.answeredMs = performance.now()
    })
  }

  get page(): Page {
    return this.#options.page
  }

  get url(): URL {
    return new URL(this.page.url())
  }

  /** @param to a path of the issuer's, or a URL */
  async go(to: string | URL): Promise<void> {
    await this.page.goto(new URL(to, this.#options.issuerUrl).href)
    await this.#look()
  }

  /** What is typed, by the names of the fields; instead of what stands there. */
  async fill(typed: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, text] of Object.entries(typed)) {
      const field = await this.page.$(called(name, 'textbox'))
      if (!field) throw new Error(`no field ${name}: ${await this.#where()}`)
      await field.click({ count: 3 })
      await field.type(text)
      await field.dispose()
    }
  }

  async press(name: string, role: 'button' | 'link' = 'button'): Promise<void> {
    const found = await this.page.$(called(name, role))
    if (!found) throw new Error(`no ${role} ${name}: ${await this.#where()}`)
    await this.arrive(() => found.click())
  }

  /** The last of several that are called the same. */
  async pressLast(name: string): Promise<void> {
    const found = (await this.page.$$(called(name, 'button'))).at(-1)
    if (!found) throw new Error(`no button ${name}: ${await this.#where()}`)
    await this.arrive(() => found.click())
  }

  /** Goes to a page that leads to another by itself. */
  async offered(to: string): Promise<void> {
    const target = new URL(to, this.#options.issuerUrl)
    await this.page.goto(target.href, { waitUntil: 'domcontentloaded' })
    await this.page.waitForFunction(`location.pathname !== ${JSON.stringify(target.pathname)}`)
    await this.#look()
  }

  /** Unfolds what is folded. */
  async unfold(name: string): Promise<void> {
    await this.page.click(called(name, 'DisclosureTriangle'))
  }

  /** Takes a tick away, or puts one. */
  async tick(name: string): Promise<void> {
    await this.page.click(called(name, 'checkbox'))
  }

  /** Does what leads to another page, and waits for it. */
  async arrive(act: () => Promise<unknown>): Promise<void> {
    await Promise.all([this.page.waitForNavigation(), act()])
    await this.#look()
  }

  /** All that can be read. */
  text = async (): Promise<string> => (await this.page.evaluate('document.body.innerText')) as string

  heading = async (): Promise<string> =>
    (await this.page.evaluate('document.querySelector("h1")?.innerText ?? ""')) as string

  /** What the page gives out, as an element holds it. */
  read = async (selector: string): Promise<string> => this.page.$eval(selector, (element) => element.textContent ?? '')

  cookies = (): Promise<Cookie[]> => this.#options.context.cookies()

  remember = (cookies: readonly Cookie[]): Promise<void> => this.#options.context.setCookie(...cookies)

  close = (): Promise<void> => this.#options.context.close()

  async #look(): Promise<void> {
    const { issuerUrl, scripts, inspection, page } = this.#options
    if (scripts && this.url.origin === issuerUrl) await inspection.look(page, this.status)
  }

  #where = async (): Promise<string> => `${this.url.href} ${this.status} ${await this.text()}`
}
