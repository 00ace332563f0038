import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Page } from 'puppeteer-core'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** What axe finds that is serious. Evaluated in the page. */
const audit = `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations
  .filter(({ impact }) => impact === 'serious' || impact === 'critical')
  .flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ': ' + html)))`

const devices = { phone: { width: 375, height: 740 }, desktop: { width: 1280, height: 800 } } as const
const schemes = ['light', 'dark'] as const

/** Looks at pages as people who see badly would, and takes their pictures; each kind of page once. */
export class Inspection {
  /** What is wrong with them. */
  readonly findings: string[] = []
  readonly #seen = new Set<string>()
  /** Undefined: no pictures are taken. */
  readonly #pictures: string | undefined

  constructor(pictures: string | undefined) {
    this.#pictures = pictures
    if (pictures) mkdirSync(pictures, { recursive: true })
  }

  /** @param status of the answer that the page is */
  async look(page: Page, status: number): Promise<void> {
    const kind = await kindOf(page, status)
    if (this.#seen.has(kind)) return
    this.#seen.add(kind)
    await page.evaluate(axe)
    const found = (await page.evaluate(audit)) as string[]
    this.findings.push(...found.map((each) => `${kind}: ${each}`))
    if (this.#pictures) await this.#picture(page, kind)
  }

  async #picture(page: Page, kind: string): Promise<void> {
    const before = page.viewport()
    for (const [device, size] of Object.entries(devices)) {
      await page.setViewport(size)
      for (const scheme of schemes) {
        await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }])
        await page.evaluate('for (const each of document.getAnimations()) each.finish()')
        const path = join(this.#pictures!, `${kind}-${device}-${scheme}.png`) as `${string}.png`
        await page.screenshot({ path, fullPage: true })
      }
    }
    await page.emulateMediaFeatures([])
    await page.setViewport(before)
  }
}

/** By where it is, what it says of itself, and what it says of what was done. */
async function kindOf(page: Page, status: number): Promise<string> {
  const told = `[...document.querySelectorAll('h1, [role=alert], [role=status]:not(form *)')].map((each) => each.innerText)`
  const words = ((await page.evaluate(told)) as string[]).join(' ')
  const { pathname } = new URL(page.url())
  return `${pathname}-${status}-${words}`
    .toLowerCase()
    .replace(/[^a-z\d]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 90)
}
