import { truncateSync } from 'node:fs'
import { afterAll, describe, expect, test } from '@jest/globals'
import { stylesheet } from '../http/stylesheet.ts'
import { ConfigFolder } from './config-folder.ts'
import { limits } from './limits.ts'

const folder = new ConfigFolder()
afterAll(() => folder.remove())

const svg = '<svg xmlns="http://www.w3.org/2000/svg"/>'
const png = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0)

const problems = (line: string) =>
  folder.second(line).map((text) => text.replace(/^\d+:\d+: /, '').replaceAll(folder.path, '<folder>'))

describe('pages', () => {
  test('take a name, a logo, colours, a language and where help is', () => {
    const logo = folder.write('logo.svg', svg)
    const given =
      'name: Example Ltd, logo: logo.svg, accent: "#1A5FB4", accent_dark: "#8ab4f8", language: fr, support: "mailto:help@a.example"'
    expect(folder.load(`version: 1\npages: { ${given} }`).config.pages).toEqual({
      name: 'Example Ltd',
      logo,
      accent: '#1a5fb4',
      accentDark: '#8ab4f8',
      language: 'fr',
      support: 'mailto:help@a.example',
    })
    expect(problems('pages: { support: "https://a.example/help?x=y" }')).toEqual([])
  })

  const colour = 'expected a colour in quotes, such as "#1a5fb4"'
  const support = 'expected an https:// or mailto: URL'

  test.each([
    ['accent: "#ffffff"', 'accent: has a contrast of 1.00:1 on #ffffff; at least 4.5:1 is needed'],
    ['accent: "#777777"', 'accent: has a contrast of 4.47:1 on #ffffff; at least 4.5:1 is needed'],
    ['accent_dark: "#1a5fb4"', 'accent_dark: has a contrast of 2.62:1 on #1b1f26; at least 4.5:1 is needed'],
    ['accent_dark: "#858585"', 'accent_dark: has a contrast of 4.47:1 on #1b1f26; at least 4.5:1 is needed'],
    ['accent: "#15b"', `accent: ${colour}, got "#15b"`],
    ['accent: blue', `accent: ${colour}, got "blue"`],
    ['accent: \n  #1a5fb4\n', `accent: ${colour}, got nothing`],
    ['accent: "#1a5fb4;}"', `accent: ${colour}, got "#1a5fb4;}"`],
    ['language: it', 'language: expected one of en, de, fr, es, got "it"'],
    ['name: ""', 'name: expected text on one line, got ""'],
    ['support: "http://a.example"', `support: ${support}, got "http://a.example"`],
    ['support: "javascript:alert(1)"', `support: ${support}, got "javascript:alert(1)"`],
    ['support: "mailto:a"', `support: ${support}, got "mailto:a"`],
    ['logo: nope.svg', 'logo: the file <folder>/nope.svg does not exist'],
    ['logo: .', 'logo: the file <folder> is a folder'],
    ['logo: /dev/null', 'logo: the file /dev/null is not a regular file'],
  ])('with %s are refused', (keys, line) => {
    expect(problems(`pages: { ${keys} }`)).toEqual([`pages.${line}`])
  })

  test('take the shade that is just legible, and measure on what the text stands on', () => {
    expect(problems('pages: { accent: "#767676", accent_dark: "#868686" }')).toEqual([])
    const sheets = [...stylesheet.matchAll(/--sheet: (#[\da-f]+)/g)].map(([, sheet]) => sheet)
    expect(sheets).toEqual([limits.sheets.light.replace(/(#...)...$/, '$1'), limits.sheets.dark])
  })
})

describe('a logo', () => {
  test.each([
    ['PNG', png],
    ['SVG', svg],
    [
      'SVG with all that may come before it',
      `\ufeff<?xml version="1.0"?>\n<!-- a - b --><!DOCTYPE svg PUBLIC "x" "y">\n${svg}`,
    ],
    ['SVG after a thousand comments', `${'<!---->'.repeat(1_000)}<svg>`],
  ])('is %s, whatever it is called', (_, content) => {
    folder.write('logo', content)
    expect(problems('pages: { logo: logo }')).toEqual([])
  })

  test.each([
    ['HTML', '<!DOCTYPE html><svg></svg>'],
    ['a script', '<script>alert(1)</script><svg></svg>'],
    ['JPEG', Uint8Array.of(0xff, 0xd8, 0xff, 0xe0)],
    ['SVG with entities of its own', `<!DOCTYPE svg [ <!ENTITY a "b"> ]>${svg}`],
    ['SVG with entities from elsewhere', `<!DOCTYPE svg [ %a; ]>${svg}`],
    ['nothing but comments', '<!---->'.repeat(1_000)],
    ['nothing', ''],
  ])('is not %s', (_, content) => {
    folder.write('logo.svg', content)
    expect(problems('pages: { logo: logo.svg }')).toEqual([
      'pages.logo: the file <folder>/logo.svg is neither SVG nor PNG',
    ])
  })

  test('is small', () => {
    const file = folder.write('big.png', png)
    truncateSync(file, limits.logoBytes)
    expect(problems('pages: { logo: big.png }')).toEqual([])
    truncateSync(file, limits.logoBytes + 1)
    expect(problems('pages: { logo: big.png }')).toEqual([
      'pages.logo: the file <folder>/big.png is longer than 65536 bytes',
    ])
  })
})

describe('passwords', () => {
  test('have a least length, and a list of those that are refused', () => {
    const refused = folder.write('refused.txt', 'hunter2\n')
    const { config } = folder.load('version: 1\npasswords: { least_characters: 8, refused: refused.txt }')
    expect(config.passwords).toEqual({ leastCharacters: 8, refused })
  })

  test.each([
    ['least_characters: 7', 'least_characters: expected a whole number from 8 to 64, got 7'],
    ['refused: nope.txt', 'refused: the file <folder>/nope.txt does not exist'],
    ['refused: .', 'refused: the file <folder> is a folder'],
    ['refused: long.txt', `refused: the file <folder>/long.txt is longer than ${64 * 1024 * 1024} bytes`],
  ])('with %s are refused', (keys, line) => {
    truncateSync(folder.write('long.txt', ''), limits.refusedPasswordsBytes + 1)
    expect(problems(`passwords: { ${keys} }`)).toEqual([`passwords.${line}`])
  })
})

describe('mail', () => {
  const from = 'from: login@a.example'

  test('needs a server and a sender', () => {
    expect(folder.load(`version: 1\nmail: { url: smtps://mail.example, ${from} }`).config.mail).toEqual({
      url: 'smtps://mail.example',
      from: 'login@a.example',
      timeoutMs: 10_000,
    })
    expect(folder.load('version: 1').config.mail).toBeUndefined()
  })

  test('takes everything', () => {
    const ca = folder.write('ca.pem', 'PEM')
    const keys =
      'url: "smtp://mail.example:587", username: u, password: s3cret, from: Example Ltd. <login@a.example>, ca: ca.pem, timeout: 5s'
    const { mail } = folder.load(`version: 1\nmail: { ${keys} }`).config
    expect(mail).toMatchObject({ username: 'u', from: 'Example Ltd. <login@a.example>', ca, timeoutMs: 5_000 })
    expect(mail?.password?.reveal()).toBe('s3cret')
  })

  const sender = 'from: expected an email address, such as login@example.org or Example <login@example.org>'

  test.each([
    [
      `${from}, url: "mail.example"`,
      'url: expected smtps://host or smtp://host, with or without :port, got "mail.example"',
    ],
    [
      `${from}, url: "smtps://u:p@h"`,
      'url: expected smtps://host or smtp://host, with or without :port, got "smtps://***@h"',
    ],
    [`${from}, url: "smtps://h", username: u`, 'username: needs password beside it'],
    [`${from}, url: "smtps://h", password: s`, 'password: needs username beside it'],
    ['url: "smtps://h"', `${sender}, got nothing`],
    [
      'url: "smtps://h", from: "a@b.example\\r\\nBcc: c@d.example"',
      `${sender}, got "a@b.example\\r\\nBcc: c@d.example"`,
    ],
    ['url: "smtps://h", from: "A\\nBcc: <a@b.example>"', `${sender}, got "A\\nBcc: <a@b.example>"`],
    ['url: "smtps://h", from: Example', `${sender}, got "Example"`],
    ['url: "smtps://h", from: "A <a@b.example>, B <b@b.example>"', `${sender}, got "A <a@b.example>, B <b@b.example>"`],
  ])('with %s is refused', (keys, line) => {
    expect(problems(`mail: { ${keys} }`)).toEqual([`mail.${line}`])
  })
})
