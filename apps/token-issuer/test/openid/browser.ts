import { rmSync } from 'node:fs'
import { findProgram, temporaryFolder } from '@countersign/servers'
import puppeteer, { type Browser as Chromium, type BrowserContext, type Page } from 'puppeteer-core'
import { account } from './provider.ts'

/** A page of the provider's, as a person sees it. */
export interface Shown {
  kind: 'sign-in' | 'consent' | 'error'
  status: number
  text: string
  /** What stands in the field for it already. */
  loginName: string
  /** Without scrolling sideways. */
  fits: boolean
}

const pagesAtMost = 5

/** Evaluated in the page. */
const look = `(() => {
  const field = (name) => document.querySelector('[name=' + name + ']')
  const kind = field('password') ? 'sign-in' : field('decision') ? 'consent' : 'error'
  const { scrollWidth, clientWidth } = document.documentElement
  return { kind, text: document.body.innerText, loginName: field('login_name')?.value ?? '', fits: scrollWidth <= clientWidth }
})()`

/** Somebody with a browser of their own: cookies are theirs alone. */
export class Person {
  readonly #context: BrowserContext
  readonly #page: Page
  readonly #issuer: string
  #status = 0

  constructor(context: BrowserContext, page: Page, issuer: string) {
    this.#context = context
    this.#page = page
    this.#issuer = issuer
    page.on('response', (response) => {
      if (response.request().isNavigationRequest()) this.#status = response.status()
    })
  }

  get url(): URL {
    return new URL(this.#page.url())
  }

  resize(width: number, height: number): Promise<void> {
    return this.#page.setViewport({ width, height })
  }

  /** Goes there, signs in and agrees as it is asked, until it is elsewhere or there is no more to do. @returns what it was shown */
  async visit(url: string): Promise<Shown[]> {
    await this.#page.goto(url)
    return this.#goOn()
  }

  /** As {@link visit}, but begins with the form at the URL. */
  async send(url: string): Promise<Shown[]> {
    await this.#page.goto(url)
    await this.#press('button')
    return this.#goOn()
  }

  close(): Promise<void> {
    return this.#context.close()
  }

  async #goOn(): Promise<Shown[]> {
    const seen: Shown[] = []
    while (this.url.origin === this.#issuer && seen.length < pagesAtMost) {
      const page = (await this.#page.evaluate(look)) as Omit<Shown, 'status'>
      const shown = { ...page, status: this.#status }
      seen.push(shown)
      if (shown.kind === 'error') break
      if (shown.kind === 'consent') await this.#press('button[value=allow]')
      else await this.#signIn()
    }
    return seen
  }

  async #signIn(): Promise<void> {
    await this.#page.locator('[name=login_name]').fill(account.loginName)
    await this.#page.locator('[name=password]').fill(account.password)
    await this.#press('form[action=login] button')
  }

  async #press(selector: string): Promise<void> {
    await Promise.all([this.#page.waitForNavigation(), this.#page.click(selector)])
  }
}

/** One Chromium, with a profile of its own. */
export class Browser {
  readonly #chromium: Chromium
  readonly #profile: string

  private constructor(chromium: Chromium, profile: string) {
    this.#chromium = chromium
    this.#profile = profile
  }

  static async start(): Promise<Browser> {
    const profile = temporaryFolder('chromium')
    const chromium = await puppeteer.launch({
      executablePath: findProgram('chromium', 'chromium'),
      userDataDir: profile,
      acceptInsecureCerts: true,
      args: [
        ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
        '--disable-background-networking',
        '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1',
      ],
    })
    return new Browser(chromium, profile)
  }

  async person(issuer: string): Promise<Person> {
    const context = await this.#chromium.createBrowserContext()
    return new Person(context, await context.newPage(), issuer)
  }

  async stop(): Promise<void> {
    await this.#chromium.close()
    rmSync(this.#profile, { recursive: true, force: true })
  }
}
