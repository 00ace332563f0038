import { describe, expect, test } from '@jest/globals'
import { contrast, inHex, mixed, readableOn, rgbOf } from './colour.ts'
import { createLook, sourceOf } from './look.ts'
import { html, pageAnswer } from './page.ts'

/** Of the rules for light pages, and for dark ones. */
function accentsOf(style: string): Record<string, string>[] {
  const rules = [...style.matchAll(/:root \{ (--accent:[^}]+)\}/g)].map(([, text]) => text!)
  return rules.map((text) => Object.fromEntries([...text.matchAll(/--([\w-]+): (#\w{6})/g)].map(([, a, b]) => [a, b])))
}

describe('a look', () => {
  test.each(['#1d4ed8', '#ffe600', '#ffffff', '#000000', '#777777', '#ff0000', '#00ff88'])(
    'with the accent %s can be read, where pages are light and where they are dark',
    (accent) => {
      for (const accentDark of [undefined, accent]) {
        const { style } = createLook({ name: 'x', accent, ...(accentDark !== undefined && { accentDark }) })
        const [light, dark] = accentsOf(style).map((rules) => (name: string) => rgbOf(rules[name]!))
        for (const [rules, grounds] of [
          [light!, ['#ffffff', '#f3f4f6']],
          [dark!, ['#1b1f26', '#0f1115']],
        ] as const) {
          expect(contrast(rules('on-accent'), rules('accent'))).toBeGreaterThanOrEqual(4.5)
          expect(contrast(rules('on-accent'), rules('accent-pressed'))).toBeGreaterThanOrEqual(4.5)
          for (const ground of grounds) expect(contrast(rules('link'), rgbOf(ground))).toBeGreaterThanOrEqual(4.5)
        }
      }
    },
  )

  test('keeps an accent that can be read already', () => {
    const [light, dark] = accentsOf(createLook({ name: 'x', accent: '#1d4ed8', accentDark: '#8fb1ff' }).style)
    expect([light!.accent, light!.link, dark!.accent, dark!.link]).toEqual(['#1d4ed8', '#1d4ed8', '#8fb1ff', '#8fb1ff'])
  })

  test('is named by its hash, which each theme has its own of', () => {
    const [one, other] = [createLook({ name: 'x' }), createLook({ name: 'x', accent: '#0f766e' })]
    expect(one.styleSource).toBe(sourceOf(one.style))
    expect(one.styleSource).not.toBe(other.styleSource)
  })

  test.each(['red', '#fff', '#12345g', '#123456; } body { display: none', ''])('takes no accent %j', (accent) => {
    expect(() => createLook({ name: 'x', accent })).toThrow(RangeError)
  })

  test('shows name and logo above every page, and allows images only then', () => {
    const logo = { bytes: Buffer.from('<svg/>'), type: 'image/svg+xml' } as const
    const options = { title: 'x', body: html`<h1>x</h1>` }
    const page = pageAnswer(200, { ...options, look: createLook({ name: '<b>', logo }), lang: 'de' })
    expect(page.body).toContain('<html lang="de">')
    expect(page.body).toContain('<bdi>&lt;b&gt;</bdi>')
    expect(page.body).toContain('src="data:image/svg+xml;base64,PHN2Zy8+"')
    expect(page.headers!['content-security-policy']).toContain('; img-src data:;')
    const plain = pageAnswer(200, options)
    expect(plain.body).not.toContain('class="brand"')
    expect(plain.headers!['content-security-policy']).not.toContain('img-src')
  })

  test('runs a script of the page, and no other', () => {
    const page = pageAnswer(200, { title: 'x', body: html`<h1>x</h1>`, script: 'void 0' })
    expect(page.headers!['content-security-policy']).toContain(`script-src ${sourceOf('void 0')};`)
    expect(page.body).toContain('<script>void 0</script>')
  })

  test('makes a page wide that has a navigation', () => {
    const page = pageAnswer(200, { title: 'x', body: html`<h1>x</h1>`, navigation: html`<nav>n</nav>` })
    expect(page.body).toMatch(/<body class="wide">[\s\S]*<nav>n<\/nav>[\s\S]*<main>/)
  })
})

describe('colours', () => {
  test('are mixed, written and compared as WCAG has it', () => {
    expect(inHex(mixed(rgbOf('#000000'), rgbOf('#ffffff'), 0.5))).toBe('#808080')
    expect(contrast(rgbOf('#000000'), rgbOf('#FFFFFF'))).toBeCloseTo(21)
    expect(contrast(rgbOf('#777777'), rgbOf('#ffffff'))).toBeCloseTo(4.48, 2)
    expect(inHex(readableOn(rgbOf('#777777'), rgbOf('#ffffff')))).toBe('#717171')
  })
})
