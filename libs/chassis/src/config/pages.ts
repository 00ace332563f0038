import { readFileSync } from 'node:fs'
import { contrast, rgbOf } from '../http/colour.ts'
import { file, unreadable, type Surroundings } from './credential.ts'
import { choice, complain, map, matching, phrase, text } from './leaf.ts'
import { limits } from './limits.ts'
import { isEmail } from './roles.ts'
import { asProperties } from './spelling.ts'
import { isWebUrl } from './url.ts'

const png = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)
const svg = /^\s*(?:<\?xml[^>]*\?>\s*)?(?:(?:<!--(?:(?!-->)[^])*-->|<!DOCTYPE\s+svg[^>[]*>)\s*)*<svg[\s>]/

function isImage(bytes: Uint8Array): boolean {
  if (png.every((byte, index) => bytes[index] === byte)) return true
  return svg.test(new TextDecoder().decode(bytes))
}

const logo = (surroundings: Surroundings) =>
  file(surroundings, limits.logoBytes).transform((path, issues): string => {
    try {
      if (isImage(readFileSync(path))) return path
    } catch (thrown) {
      return complain(issues, path, `the file ${path} ${unreadable(thrown)}`)
    }
    return complain(issues, path, `the file ${path} is neither SVG nor PNG`)
  })

/** A colour in which text can be read on the sheet (WCAG 2.2 section 1.4.3). */
const legibleOn = (sheet: string) =>
  matching('a colour in quotes, such as "#1a5fb4"', /^#[0-9A-Fa-f]{6}$/).transform((given, issues): string => {
    const ratio = contrast(rgbOf(given), rgbOf(sheet))
    if (ratio >= limits.contrast) return given.toLowerCase()
    const shown = (Math.floor(ratio * 100) / 100).toFixed(2)
    return complain(issues, given, `has a contrast of ${shown}:1 on ${sheet}; at least ${limits.contrast}:1 is needed`)
  })

const support = () =>
  text('an https:// or mailto: URL', (given) => {
    const [, to] = /^mailto:([^?]*)$/.exec(given) ?? []
    return (to === undefined ? given.startsWith('https:') && isWebUrl(given) : isEmail(to)) ? given : undefined
  }).meta({ format: 'uri' })

export const pages = (surroundings: Surroundings) =>
  map({
    name: phrase().prefault('Countersign').describe('What people are told that they sign in to.'),
    logo: logo(surroundings).optional().describe('The picture above the name: a file, SVG or PNG, 64 KiB at most.'),
    accent: legibleOn(limits.sheets.light)
      .optional()
      .describe('The colour of buttons and links; legible on white, so a contrast of 4.5:1 at least.'),
    accent_dark: legibleOn(limits.sheets.dark)
      .optional()
      .describe(`The same where people prefer dark pages; legible on ${limits.sheets.dark}.`),
    language: choice(['en', 'de', 'fr', 'es'])
      .prefault('en')
      .describe('The language of people whose browser asks for none of those that there are.'),
    support: support().optional().describe('Where people find help.'),
  })
    .transform(asProperties)
    .prefault({})
    .describe('How the pages that people see look.')
