import { hash } from 'node:crypto'
import { contrast, inHex, mixed, readableOn, rgbOf, type Rgb } from './colour.ts'
import { stylesheet } from './stylesheet.ts'

/** What whoever runs this says of how its pages look. */
export interface Theme {
  /** Of the product, shown above every page; empty: nothing is. */
  name: string
  logo?: { bytes: Uint8Array; type: 'image/svg+xml' | 'image/png' }
  /** `#rrggbb`: of buttons and links, where pages are light, and where they are dark. */
  accent?: string
  accentDark?: string
  /** Where people ask for help: an `https:` or `mailto:` URL. */
  support?: string
}

/** A theme made ready, once; all pages of a process share it. */
export interface Look {
  readonly name: string
  /** A `data:` URL. */
  readonly logo: string | undefined
  readonly support: string | undefined
  /** CSS; constant, so that a policy can name it. */
  readonly style: string
  /** As the policy names it (CSP Level 3 section 2.3.1). */
  readonly styleSource: string
}

/** By its hash, as a Content-Security-Policy names what is inline. */
export const sourceOf = (inline: string): string => `'sha256-${hash('sha256', inline, 'base64')}'`

const white: Rgb = [255, 255, 255]
const black: Rgb = [0, 0, 0]

/** What text stands on: of the two sheets of the stylesheet, and of the ground behind them, whichever is harder to read on. */
const grounds = { light: rgbOf('#f3f4f6'), dark: rgbOf('#1b1f26') }

/** Whatever accent is chosen, what is written on it and in it can be read (WCAG 2.2 section 1.4.3). */
function accentRules(accent: Rgb, ground: Rgb): string {
  const ink = contrast(white, accent) >= contrast(black, accent) ? white : black
  const pressed = mixed(accent, ink === white ? black : white, 0.14)
  const rules = { accent, 'accent-pressed': pressed, 'on-accent': ink, link: readableOn(accent, ground) }
  return Object.entries(rules)
    .map(([name, colour]) => `--${name}: ${inHex(colour)};`)
    .join(' ')
}

/** @throws RangeError for an accent that is no `#rrggbb` */
export function createLook({ name, logo, accent = '#1d4ed8', accentDark, support }: Theme): Look {
  const light = rgbOf(accent)
  const dark = accentDark === undefined ? readableOn(light, grounds.dark) : rgbOf(accentDark)
  const style = `${stylesheet}
:root { ${accentRules(light, grounds.light)} }
@media (prefers-color-scheme: dark) { :root { ${accentRules(dark, grounds.dark)} } }
`
  return {
    name,
    logo: logo && `data:${logo.type};base64,${Buffer.from(logo.bytes).toString('base64')}`,
    support,
    style,
    styleSource: sourceOf(style),
  }
}

/** Nobody's in particular. */
export const plainLook = createLook({ name: '' })
