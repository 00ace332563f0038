import { randomBytes } from 'node:crypto'
import { setupTokenFrom } from '@countersign/assembly'
import { MainJob, until } from '@countersign/servers'
import { Application, type Tokens } from './application.ts'
import type { Chromium } from './chromium.ts'
import type { Inspection } from './inspection.ts'
import { Person } from './person.ts'
import type { Setting } from './setting.ts'

export const password = 'seven brass lanterns at dusk'
/** Whoever set Countersign up. */
export const firstLoginName = 'founder'

/** People with browsers, and a stack. */
export class World {
  readonly setting: Setting
  readonly #chromium: Chromium
  readonly #scripts: boolean
  readonly #inspection: Inspection
  readonly #people: Person[] = []

  constructor(setting: Setting, chromium: Chromium, inspection: Inspection, scripts: boolean) {
    this.setting = setting
    this.#chromium = chromium
    this.#inspection = inspection
    this.#scripts = scripts
  }

  /** Nobody else's. */
  name = (): string => `p${randomBytes(6).toString('hex')}`

  /** Somebody who has just opened a browser. */
  async person(): Promise<Person> {
    const context = await this.#chromium.context()
    const page = await context.newPage()
    await page.setJavaScriptEnabled(this.#scripts)
    const { issuerUrl } = this.setting
    const person = new Person({ issuerUrl, context, page, scripts: this.#scripts, inspection: this.#inspection })
    this.#people.push(person)
    return person
  }

  application = (id: 'web' | 'signed' | 'television'): Application => new Application(this.setting, id)

  /** An account of ours, whose owner has chosen a password and is signed in. */
  async invited(loginName = this.name()): Promise<Person> {
    const email = `${loginName}@example.org`
    const invitation = { loginName, name: 'Ann Example', email, roles: ['member'], send: false }
    const { link } = await this.setting.accounts.calls.inviteAccount(invitation)
    const person = await this.person()
    await person.go(link)
    await person.fill({ 'New password': password, 'New password again': password })
    await person.press('Set the password')
    return person
  }

  /** What RFC 7662 tells a resource server of a token. */
  async introspected(token: string): Promise<Record<string, unknown>> {
    return (await new MainJob(this.setting.at).introspect(token)).json()
  }

  /** The link in the letter to somebody that this is the subject of. */
  async linkMailed(to: string, path: string): Promise<string> {
    let link: string | undefined
    await until(() => {
      const letters = this.setting.mail.received.filter((letter) => letter.to.includes(to))
      const text = letters.map(({ source }) => unquoted(source)).join('\n')
      link = text.split(/[\s"<>]+/).findLast((word) => word.startsWith(`${this.setting.issuerUrl}${path}`))
      return link !== undefined
    })
    return link!
  }

  /** What browsers complained of, once everybody has closed theirs. */
  async leave(): Promise<string[]> {
    await Promise.all(this.#people.map((person) => person.close()))
    return this.#people.flatMap(({ complaints }) => complaints)
  }
}

/** RFC 2045 section 6.7. */
const unquoted = (source: string): string =>
  source.replace(/=\r?\n/g, '').replace(/=([\dA-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))

export interface Journey {
  name: string
  go: (world: World) => Promise<void>
  /** It cannot be made without. */
  needsScripts?: boolean
}

/** Makes the first account, by the link that is printed when Countersign is first started. */
export async function setUp(world: World): Promise<void> {
  const { at } = world.setting
  const person = await world.person()
  await person.go(`/setup?token=${setupTokenFrom(Buffer.from(at.masterKey))}`)
  const account = { 'Login name': firstLoginName, 'Full name': 'Fay Founder', 'E-mail address': 'fay@example.org' }
  await person.fill({ ...account, Password: password, 'Password again': password })
  await person.press('Make the account')
  if ((await person.heading()) !== 'You are signed in') throw new Error(`no account: ${await person.text()}`)
}

export async function signInLocally(person: Person, loginName: string, secret = password): Promise<void> {
  await person.fill({ 'Login name': loginName, Password: secret })
  await person.press('Sign in')
}

/** At one of the providers that are not ours. */
export async function signInAt(person: Person, provider: string, name: string): Promise<void> {
  await person.press(`Continue with ${provider}`)
  await confirmAt(person, name)
}

/** On the page of the provider itself. */
export async function confirmAt(person: Person, name: string): Promise<void> {
  await person.fill({ Name: name })
  await person.press('Sign in')
}

/** Goes where an application sends them, signs in if asked, and allows what is asked. */
export async function authorize(
  person: Person,
  application: Application,
  signIn: () => Promise<void> = async () => undefined,
): Promise<Tokens> {
  const begun = application.begin()
  await person.go(begun.url)
  if ((await person.heading()) === 'Sign in') await signIn()
  if ((await person.heading()) === 'Allow access?') await person.press('Allow')
  return application.redeem(begun, person.url)
}
