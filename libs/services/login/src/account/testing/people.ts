import { createHash } from 'node:crypto'
import { system } from '@countersign/tokens'
import type { UpstreamPerson } from '../../upstream/flow.ts'
import type { Upstreams } from '../../upstream/upstreams.ts'
import { Browser, type Page } from '../../testing/browser.ts'
import { noUpstreams, openWorld, password, type World } from '../../testing/world.ts'

/** What a form carries that confirms who sends it. */
export const confirmed = { confirmed: 'yes', current_password: password }

const personOf = (subject: string): UpstreamPerson => ({
  provider: 'google',
  issuer: 'https://google.example',
  subject,
  claims: { name: subject },
  email: undefined,
  label: `${subject}@google.example`,
  roles: [],
  attributes: [],
  amr: [],
  acr: '',
})

/** Signs in whoever the code names. */
const google: Upstreams = {
  ...noUpstreams,
  list: () => [{ id: 'google', name: 'Google', kind: 'google' }],
  has: (id) => id === 'google',
  begin: async (_id, { state }) => new URL(`https://google.example/?${new URLSearchParams({ state })}`),
  finish: async (_id, { callback }) => personOf(callback.searchParams.get('code')!),
}

/** People with accounts, their browsers, and a clock that stands still until it is moved. */
export class People {
  readonly world: World
  readonly #clock: { now: number }

  private constructor(world: World, clock: { now: number }) {
    this.world = world
    this.#clock = clock
  }

  static async open(options: Parameters<typeof openWorld>[0] = {}): Promise<People> {
    const clock = { now: Date.now() }
    const world = await openWorld({ upstreams: google, now: () => clock.now, ...options })
    world.authorization.now = () => clock.now
    return new People(world, clock)
  }

  get now(): number {
    return this.#clock.now
  }

  pass(milliseconds: number): void {
    this.#clock.now += milliseconds
  }

  /** Signed in, by a password. */
  async withPassword(loginName: string, headers: Record<string, string> = {}): Promise<Browser> {
    const browser = new Browser(this.world.origin, headers)
    const { fields } = await browser.open('/login')
    await browser.send('/login', { ...fields, login_name: loginName, password })
    return browser
  }

  /** Signed in at Google. */
  async withGoogle(subject: string): Promise<Browser> {
    const browser = new Browser(this.world.origin)
    const { fields } = await browser.open('/login')
    await this.comeBack(browser, await browser.send('/login', { csrf: fields.csrf!, provider: 'google' }), subject)
    return browser
  }

  /** From Google, where the browser was sent. */
  comeBack(browser: Browser, sent: Page, subject: string): Promise<Page> {
    const state = new URL(sent.location!).searchParams.get('state')!
    return browser.open(`/login/callback/google?${new URLSearchParams({ state, code: subject })}`)
  }

  /** The account of whoever has signed in first, or as. */
  async accountOf(browser: Browser) {
    const { authorization, service } = this.world
    const { signIns } = authorization
    const id = this.sessionOf(browser)
    const { session, subject } = signIns.find((signIn) => signIn.session!.id === id)!
    return (await service.directory.read(session!.partition, subject))!
  }

  /** What makes an account one of ours. */
  async nameLogin(browser: Browser, loginName: string): Promise<void> {
    const { directory } = this.world.service
    await directory.change(await this.accountOf(browser), system, (record) => ({ record: { ...record, loginName } }))
  }

  sessionOf(browser: Browser): string {
    const cookie = browser.cookies.get('cs_session')!
    return createHash('sha256').update(cookie).digest('base64url')
  }

  /** Letters' subjects, and types of events with their reasons, since the account was made. */
  async told(type: string) {
    return (await this.world.events()).filter((event) => event.type.startsWith(type))
  }
}

/** Opens a page and sends one of its forms. */
export async function act(browser: Browser, path: string, fields: Record<string, string>): Promise<Page> {
  const page = await browser.open(path)
  return browser.send(path, { csrf: page.fields.csrf ?? '', ...fields })
}

/** The words in the page's alert. */
export const alertOf = ({ text }: Page): string | undefined => /role="alert">([^<]*)</.exec(text)?.[1]
export const noticeOf = ({ text }: Page): string | undefined => /class="good" role="status">([^<]*)</.exec(text)?.[1]
