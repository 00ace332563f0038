import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { HttpAnswer } from '@countersign/chassis'
import { languages } from '../speech.ts'
import { Gallery } from './testing/chromium.ts'
import { paperIn, samples } from './testing/samples.ts'

/** It would be gone before it is looked at. */
const staying = (page: HttpAnswer, name: string): HttpAnswer =>
  name === 'return' ? { ...page, body: String(page.body).replace(/<script>.*<\/script>/, '') } : page

/** A folder for pictures of all pages; none are taken unless it is named. */
const pictures = process.env.PAGE_PICTURES
const names = Object.keys(samples(paperIn('en')))
const pages = new Map<string, HttpAnswer>(
  languages.flatMap((language) =>
    Object.entries(samples(paperIn(language))).map(
      ([name, page]) => [`${language}/${name}`, staying(page, name)] as const,
    ),
  ),
)
const widths = [320, 768, 1280] as const
const schemes = ['light', 'dark'] as const

let gallery: Gallery
beforeAll(async () => {
  gallery = await Gallery.open(pages)
  if (pictures) mkdirSync(pictures, { recursive: true })
})
afterAll(() => gallery.close())

const inScheme = (scheme: (typeof schemes)[number]) =>
  gallery.page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }])

async function picture(name: string): Promise<void> {
  if (pictures)
    await gallery.page.screenshot({
      path: join(pictures, `${name.replace('/', '-')}.png`) as `${string}.png`,
      fullPage: true,
    })
}

describe.each(schemes)('in Chromium, %s', (scheme) => {
  beforeAll(() => inScheme(scheme))

  test.each(names)('%s can be used by everybody, at every width', async (name) => {
    for (const width of widths) {
      await gallery.page.setViewport({ width, height: 800 })
      await gallery.show(`en/${name}`)
      expect(await gallery.overflow()).toBeLessThanOrEqual(0)
      if (width === 320 || (width === 1280 && scheme === 'light')) expect(await gallery.findings()).toEqual([])
      await picture(`${name}-${scheme}-${width}`)
    }
    expect(gallery.complaints).toEqual([])
  })
})

describe.each(languages.filter((language) => language !== 'en'))('in Chromium, in %s', (language) => {
  test.each(names)('%s fits a small telephone', async (name) => {
    await gallery.page.setViewport({ width: 320, height: 640 })
    await gallery.show(`${language}/${name}`)
    expect(await gallery.overflow()).toBeLessThanOrEqual(0)
    expect(await gallery.findings()).toEqual([])
    await picture(`${name}-${language}`)
  })
})

describe('passkeys in Chromium', () => {
  const authenticator = {
    protocol: 'ctap2',
    transport: 'internal',
    hasResidentKey: true,
    hasUserVerification: true,
    isUserVerified: true,
    automaticPresenceSimulation: true,
  } as const

  /** @param work is given a way to make the authenticator forget what it has */
  async function withAuthenticator(work: (forget: () => Promise<void>) => Promise<void>): Promise<void> {
    const session = await gallery.page.createCDPSession()
    await session.send('WebAuthn.enable')
    const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', { options: authenticator })
    try {
      await work(() => session.send('WebAuthn.clearCredentials', { authenticatorId }))
    } finally {
      await session.send('WebAuthn.disable')
      await session.detach()
    }
  }
  const press = (form: string) => gallery.page.click(`form[data-passkey=${form}] button`)
  const sent = () => gallery.page.waitForFunction('document.body.innerText === "sent"')
  const told = () => gallery.page.waitForSelector('form[data-passkey] [role=status]:not(:empty)')
  const isMade = { type: 'public-key', response: { attestationObject: expect.any(String) } }

  test('are made, and sign in, by the forms of the pages', async () => {
    await withAuthenticator(async () => {
      await gallery.show('en/account-new-passkey')
      await gallery.page.type('#name', 'My phone')
      await press('create')
      await sent()
      const made = gallery.sent.at(-1)!
      expect([made.get('name'), made.get('ticket'), made.has('csrf')]).toEqual(['My phone', 't1', true])
      const credential = JSON.parse(made.get('credential')!)
      expect(credential).toMatchObject(isMade)

      const signedIn = () => JSON.parse(gallery.sent.at(-1)!.get('passkey')!)
      const known = { id: credential.id, response: { userHandle: 'YWxpY2U', signature: expect.any(String) } }
      // Whoever picks one in the field of the login name presses no button.
      await gallery.show('en/sign-in')
      await sent()
      expect(gallery.sent).toHaveLength(2)
      expect(signedIn()).toMatchObject(known)

      // A browser that offers none there.
      const without = 'delete PublicKeyCredential.isConditionalMediationAvailable'
      const { identifier } = await gallery.page.evaluateOnNewDocument(without)
      await gallery.show('en/sign-in')
      await press('get')
      await sent()
      expect(gallery.sent).toHaveLength(3)
      expect(signedIn()).toMatchObject(known)
      await gallery.page.removeScriptToEvaluateOnNewDocument(identifier)
      expect([gallery.sent[2]!.get('ticket'), gallery.sent[2]!.get('request')]).toEqual(['t1', 'r1'])
    })
    expect(gallery.complaints).toEqual([])
  })

  test('that are not there are said to be so, and nothing is sent', async () => {
    await withAuthenticator(async (forget) => {
      await forget()
      const before = gallery.sent.length
      await gallery.show('de/sign-in')
      await press('get')
      const shown = await (await told())!.evaluate((element) => element.textContent)
      expect(shown).toContain('Es wurde kein Passkey verwendet')
      expect(gallery.sent).toHaveLength(before)
    })
  })

  test('are not offered without scripts', async () => {
    await gallery.page.setJavaScriptEnabled(false)
    await gallery.show('en/sign-in')
    const shown = await gallery.page.$$eval('form', (forms) => forms.map((form) => form.getClientRects().length > 0))
    expect(shown).toEqual([true, true, false])
    await gallery.page.setJavaScriptEnabled(true)
  })
})
