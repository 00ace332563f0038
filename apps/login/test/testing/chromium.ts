import { rmSync } from 'node:fs'
import { findProgram, temporaryFolder } from '@countersign/servers'
import puppeteer, { type Browser } from 'puppeteer-core'

/** One Chromium, with a profile of its own. */
export class Chromium {
  readonly #browser: Browser
  readonly #profile: string

  private constructor(browser: Browser, profile: string) {
    this.#browser = browser
    this.#profile = profile
  }

  static async start(): Promise<Chromium> {
    const profile = temporaryFolder('chromium')
    const browser = await puppeteer.launch({
      executablePath: findProgram('chromium', 'chromium'),
      userDataDir: profile,
      args: [
        ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
        '--lang=en-US',
        '--disable-background-networking',
        '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1',
      ],
    })
    return new Chromium(browser, profile)
  }

  /** Cookies of its own: somebody else's browser. */
  context = () => this.#browser.createBrowserContext()

  async stop(): Promise<void> {
    await this.#browser.close()
    rmSync(this.#profile, { recursive: true, force: true })
  }
}
